import { connected } from "../connection.js";
import { CloudSyncService } from "./cloud-sync.js";
import { CommunityDatabaseService, neutral } from "./community-database.js";
import { healthOf, isHealthy } from "./health.js";
import { LocalStorageService } from "./local-storage.js";
import type { CommunityRating, DatabaseResponse, SystemHealth, UserScanData, Vote } from "./types.js";
import { WebSocketService } from "./web-socket.js";

/** All services together. */
export class BackendInfrastructureService {
  private static instance: BackendInfrastructureService;
  readonly #localStorage = LocalStorageService.getInstance();
  readonly #communityDB = CommunityDatabaseService.getInstance();
  readonly #cloudSync = CloudSyncService.getInstance();
  readonly #webSocket = WebSocketService.getInstance();

  private constructor() {}

  static getInstance(): BackendInfrastructureService {
    return (BackendInfrastructureService.instance ??= new BackendInfrastructureService());
  }

  /** Waits until the core that was given to `connect` is open; rejects if it cannot be opened. */
  async initialize(): Promise<void> {
    await connected();
    this.#communityDB.getStatistics();
  }

  /** Records a scan. */
  storeScanData(scanData: UserScanData): Promise<DatabaseResponse<UserScanData>> {
    return this.#localStorage.storeScanData(scanData);
  }

  /** Casts or changes a vote. */
  submitVote(vote: Vote): Promise<DatabaseResponse<CommunityRating>> {
    return this.#communityDB.submitVote(vote);
  }

  /**
   * The code's rating; null if nobody voted on it. Where the storage cannot be read it is the one last seen, else the
   * neutral one.
   */
  async getCommunityRating(qrHash: string): Promise<CommunityRating | null> {
    try {
      const rating = await this.#communityDB.getCommunityRating(qrHash);
      if (rating || healthOf("LocalStorage")?.state !== "Unavailable") return rating;
    } catch {}
    return neutral(qrHash);
  }

  /** The state of every part, in the words of these services. `core.health` says more: why, and since when. */
  getSystemHealth(): SystemHealth {
    const storage = healthOf("LocalStorage")?.state ?? "Unavailable";
    return {
      localStorage: storage === "Unavailable" ? "unavailable" : "healthy",
      cloudSync: this.#cloudSync.isConnected() ? "healthy" : "degraded",
      communityDB: isHealthy("CommunityRatings") ? "healthy" : "starting",
      webSocket: this.#webSocket.isConnected() ? "healthy" : "reconnecting",
      cache: isHealthy("Cache") ? "healthy" : "degraded",
    };
  }
}
