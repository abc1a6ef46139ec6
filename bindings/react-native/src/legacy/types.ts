/** What every service answers with. `data` is there if `success` is true, `error` if it is not. */
export interface DatabaseResponse<T> {
  success: boolean;
  data?: T;
  error?: string;
  /** When it was answered. */
  timestamp: number;
}

/**
 * A scan as the app keeps it: its own fields come back as they were given. The code's text is looked for in `qrData`,
 * `data`, `text`, `content`, `value` and `url`, in this order.
 */
export interface UserScanData {
  timestamp: number;
  [field: string]: unknown;
}

export interface Vote {
  /** Anonymized user identifier. */
  userId: string;
  /** As `hashQRData` gives it. */
  qrHash: string;
  vote: "safe" | "unsafe";
  /** When the vote was cast. */
  timestamp: number;
}

export interface CommunityRating {
  qrHash: string;
  safeVotes: number;
  unsafeVotes: number;
  totalVotes: number;
  /** Weighted share of safe votes, from 0 to 1. */
  confidence: number;
  /** When the last vote was cast. */
  lastUpdated: number;
}

/** How a synchronisation went. */
export interface SyncResult {
  success: boolean;
  conflicts?: unknown[];
  error?: string;
}

export interface SystemHealth {
  localStorage: "healthy" | "unavailable";
  cloudSync: "healthy" | "degraded";
  communityDB: "healthy" | "starting";
  webSocket: "healthy" | "reconnecting";
  cache: "healthy" | "degraded";
}
