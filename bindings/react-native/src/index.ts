/**
 * The core: open it with `SafeScan.open`, keep it, and call it from anywhere. Every call that waits takes a `signal`.
 * @module
 */
export { CircuitOpenError, SafeScanError, type SafeScanErrorType } from "./errors.js";
export { canonicalQr, classifyQr, coreVersion, hashQrData } from "./functions.js";
export { SafeScan } from "./safe-scan.js";
export type { Cache } from "./cache.js";
export type { Circuits } from "./circuits.js";
export type { KeyValue } from "./key-value.js";
export type { Ratings } from "./ratings.js";
export type { Scans } from "./scans.js";
export type { Settings } from "./settings.js";
export type { Storage } from "./storage.js";
export type { Sync } from "./sync.js";
export type { Votes } from "./votes.js";
export type {
  AsyncStorageSource,
  CallOptions,
  CircuitEntry,
  Code,
  CoreEvent,
  EventListener,
  EventOf,
  EventType,
  NewScan,
  NewVote,
  OpenOptions,
  OperationQuery,
  SafeScanConfig,
  ScanDetails,
  ScanQuery,
  SettingsUpdate,
  SyncConfig,
  SyncStatus,
  VoteDetails,
  VoteOutcome,
  VoteQuery,
  Voter,
} from "./types.js";
export {
  Assessment,
  CircuitState,
  HealthCause,
  IdentityKeySource,
  LogLevel,
  MemoryPressure,
  NetworkState,
  OperationKind,
  OperationState,
  ParkedReason,
  QrKind,
  RatingSource,
  Service,
  ServiceState,
  SpamRule,
  StoreName,
  Verdict,
  VoteChoice,
} from "./generated/index.js";
export type {
  BackgroundRun,
  ByteCount,
  CacheStatistics,
  CleanUpReport,
  ExportReport,
  ImportReport,
  IntegrityReport,
  KvEntry,
  KvPair,
  OperationId,
  OperationPage,
  PendingOperation,
  QrHash,
  Rating,
  RepairReport,
  Scan,
  ScanId,
  ScanPage,
  ServiceHealth,
  Statistics,
  StorageUsage,
  StoreReport,
  SyncReport,
  SystemHealth,
  UnixMillis,
  UserSettings,
  Vote,
  VotePage,
  VoterId,
} from "./generated/index.js";
