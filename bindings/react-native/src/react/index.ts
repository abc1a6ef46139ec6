/**
 * Hooks for React and React Native. Each shows a state of the core and is told when it changes.
 * @module
 */
export { SafeScanProvider, type SafeScanProviderProps, useSafeScan } from "./provider.js";
export { type CommunityRating, useCommunityRating } from "./rating.js";
export { type HistoryQuery, type ScanHistory, useScanHistory } from "./scan-history.js";
export { type CurrentSyncStatus, useSyncStatus } from "./sync-status.js";
export { useSystemHealth } from "./system-health.js";
export { type OwnVote, useVote, type VoteRefusal } from "./vote.js";
