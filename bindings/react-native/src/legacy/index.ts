/**
 * The services of the backend guide, over the core: the same classes, methods, signatures and error texts. An app gives
 * them the core once, before or after they are first called:
 *
 * ```ts
 * connect(() => SafeScan.open({ directory }));
 * ```
 *
 * They decide nothing themselves. New code is better off with the core: it has pages, events, and typed errors.
 * @module
 */
export { connect, type ConnectOptions, type CoreSource, NotConnectedError } from "../connection.js";
export { BackendInfrastructureService } from "./backend-infrastructure.js";
export { CacheService } from "./cache.js";
export { CloudSyncService } from "./cloud-sync.js";
export { CommunityDatabaseService } from "./community-database.js";
export { ErrorHandlingService } from "./error-handling.js";
export { LocalStorageService } from "./local-storage.js";
export type { CommunityRating, DatabaseResponse, SyncResult, SystemHealth, UserScanData, Vote } from "./types.js";
export { WebSocketService } from "./web-socket.js";
