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
  CacheStatistics,
  CleanUpReport,
  ExportReport,
  ImportReport,
  IntegrityReport,
  KvEntry,
  KvPair,
  OperationPage,
  PendingOperation,
  Rating,
  RepairReport,
  Scan,
  ScanPage,
  ServiceHealth,
  Statistics,
  StorageUsage,
  StoreReport,
  SyncReport,
  SystemHealth,
  UserSettings,
  Vote,
  VotePage,
} from "./generated/index.js";
