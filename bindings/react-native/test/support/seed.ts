// The guide's own services, taken out of the guide and put together: what it leaves out is filled in here, in the
// simplest way that fits its words. The guide is not part of this repository: SAFESCAN_SEED_GUIDE names it.
import { existsSync, readFileSync } from "node:fs";

import type {
  BackendInfrastructureService,
  CloudSyncService,
  CommunityDatabaseService,
  ErrorHandlingService,
  LocalStorageService,
  WebSocketService,
} from "react-native-safescan/legacy";
import ts from "typescript";

type Public<T> = Pick<T, keyof T>;

/** The services, the guide's or the package's. */
export interface Services {
  readonly backend: Public<BackendInfrastructureService>;
  readonly localStorage: Public<LocalStorageService>;
  readonly communityDB: Public<CommunityDatabaseService>;
  readonly cloudSync: Public<CloudSyncService>;
  readonly webSocket: Public<WebSocketService>;
  readonly cache: { set<T>(key: string, value: T, ttl?: number): void; get<T>(key: string): T | null };
  readonly errorHandling: Public<ErrorHandlingService>;
}

export const guidePath = process.env["SAFESCAN_SEED_GUIDE"] ?? "";
/** For tests that need the guide: why they are not run, if they are not. */
export const withoutGuide = existsSync(guidePath)
  ? false
  : "not run: SAFESCAN_SEED_GUIDE does not name the guide that this package replaces";

/** AsyncStorage in memory, asynchronous as the real one, with a fault to switch on. */
export class FakeAsyncStorage {
  readonly items = new Map<string, string>();
  failing = false;

  readonly getItem = async (key: string): Promise<string | null> => {
    await this.#access();
    return this.items.get(key) ?? null;
  };

  readonly setItem = async (key: string, value: string): Promise<void> => {
    await this.#access();
    this.items.set(key, value);
  };

  async #access(): Promise<void> {
    await Promise.resolve();
    if (this.failing) throw new Error("the storage cannot be reached");
  }
}

/** What the guide's code finds around it. */
export interface Surroundings {
  readonly AsyncStorage: FakeAsyncStorage;
  readonly Date: { now(): number };
}

/** The blocks of code in the guide. */
export class Guide {
  readonly #blocks: readonly string[];

  constructor(path: string) {
    const text = readFileSync(path, "utf8");
    this.#blocks = [...text.matchAll(/```typescript\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  }

  /** The one block that has this in it. */
  block(has: string): string {
    const [found, ...others] = this.#blocks.filter((block) => block.includes(has));
    if (found === undefined || others.length > 0) throw new Error(`the guide has not one block with "${has}"`);
    return found;
  }

  /** What stands between the braces of a class, or the block itself if it is bare methods. */
  members(has: string): string {
    const block = this.block(has);
    const start = /^class \w+ \{$/m.exec(block);
    return start ? block.slice(start.index + start[0].length, block.lastIndexOf("}")) : block;
  }
}

/** The guide's services, new ones. */
export function seedServices(guide: Guide, surroundings: Surroundings): Services {
  const source = `
    const { AsyncStorage, Date } = surroundings;
    const console = { log() {}, warn() {}, error() {} };
    const setTimeout = () => 0;
    const fetch = async () => { throw new TypeError("a relative address") };
    class WebSocket {}
    const STORAGE_KEYS = {
      SCAN_HISTORY: "@safe_scan_history",
      USER_VOTES: "@safe_scan_user_votes",
      SETTINGS: "@safe_scan_settings",
      CACHE: "@safe_scan_cache",
      SYNC_QUEUE: "@safe_scan_sync_queue",
    };
    const MAX_STORAGE_SIZE = ${QUOTA};
    const CLEANUP_THRESHOLD = 0.8;
    const COMMUNITY_CONFIG = { SPAM_VOTE_THRESHOLD: 10 };

    class LocalStorageService {
      ${guide.members("class LocalStorageService")}
      ${guide.members("async enforceStorageLimits")}
      ${guide.members("async validateDataIntegrity")}
      ${guide.members("async queueForSync")}
      async getScanHistory() { return JSON.parse(await AsyncStorage.getItem(STORAGE_KEYS.SCAN_HISTORY) ?? "[]"); }
      async getSyncQueue() { return JSON.parse(await AsyncStorage.getItem(STORAGE_KEYS.SYNC_QUEUE) ?? "[]"); }
    }

    class CommunityDatabaseService {
      userVoteHistory = new Map();
      ratingsCache = new Map();
      ${guide.members("hashQRData(qrData: string)")}
      ${guide.members("private calculateWeightedConfidence")}
      ${guide.members("private isSpamVoting")}
      ${guide.members("async submitVote(vote: Vote)")}
      ${guide.members("async cleanupOldData")}
      isValidVote(vote) {
        return Boolean(vote?.userId && vote.qrHash && vote.timestamp) && ["safe", "unsafe"].includes(vote.vote);
      }
      getUserReputation() { return 1; }
      getAllVotesForQR(qrHash) {
        return [...this.userVoteHistory.values()].flat().filter((vote) => vote.qrHash === qrHash);
      }
      hasDuplicateVote(userId, qrHash) {
        return (this.userVoteHistory.get(userId) ?? []).some((vote) => vote.qrHash === qrHash);
      }
      addVoteToHistory(vote) {
        this.userVoteHistory.set(vote.userId, [...(this.userVoteHistory.get(vote.userId) ?? []), vote]);
      }
      async updateExistingVote(vote) {
        const others = this.userVoteHistory.get(vote.userId).filter(({ qrHash }) => qrHash !== vote.qrHash);
        this.userVoteHistory.set(vote.userId, [...others, vote]);
        const data = await this.updateCommunityRating(vote.qrHash);
        return { success: true, data, timestamp: Date.now() };
      }
      async updateCommunityRating(qrHash) {
        const votes = this.getAllVotesForQR(qrHash);
        const safeVotes = votes.filter(({ vote }) => vote === "safe").length;
        const unsafeVotes = votes.length - safeVotes;
        const confidence = this.calculateWeightedConfidence(qrHash);
        const rating = {
          qrHash, safeVotes, unsafeVotes, totalVotes: votes.length, confidence, lastUpdated: Date.now(),
        };
        this.ratingsCache.set(qrHash, rating);
        return rating;
      }
      async getCommunityRating(qrHash) { return this.ratingsCache.get(qrHash) ?? null; }
      getStatistics() { return { totalRatings: this.ratingsCache.size }; }
    }

    class WebSocketService {
      ${guide.members("class WebSocketService")}
      processMessageQueue() {}
      handleIncomingMessage() {}
      isConnected() { return this.connection !== null; }
    }

    class CloudSyncService {
      constructor(localStorage) { this.localStorage = localStorage; }
      ${guide.members("class CloudSyncService")}
      isConnected() { return false; }
    }

    class CircuitBreaker {
      failures = 0;
      constructor(options) { this.options = options; }
      async execute(operation) {
        if (this.failures >= this.options.failureThreshold) throw new Error("the circuit is open");
        try {
          return await operation();
        } catch (error) {
          this.failures += 1;
          throw error;
        }
      }
    }

    class ErrorHandlingService {
      ${guide.members("class ErrorHandlingService")}
    }

    class CacheService {
      ${guide.members("class CacheService")}
      getStatistics() { return { hitRate: 0 }; }
    }

    class BackendInfrastructureService {
      constructor(services) { Object.assign(this, services); }
      async initialize() { await this.localStorage.validateDataIntegrity(); }
      storeScanData(scanData) { return this.localStorage.storeScanData(scanData); }
      submitVote(vote) { return this.communityDB.submitVote(vote); }
      ${guide.members("async getCommunityRating(qrHash: string)")}
      ${guide.members("getSystemHealth(): SystemHealth")}
    }

    const localStorage = new LocalStorageService();
    const services = {
      localStorage,
      communityDB: new CommunityDatabaseService(),
      cloudSync: new CloudSyncService(localStorage),
      webSocket: new WebSocketService(),
      cache: new CacheService(),
      errorHandling: new ErrorHandlingService(),
    };
    return { ...services, backend: new BackendInfrastructureService(services) };`;
  const target = ts.ScriptTarget.ES2022;
  const { outputText } = ts.transpileModule(`export {}; function assembled(surroundings: any) {${source}}`, {
    compilerOptions: { target, module: ts.ModuleKind.CommonJS },
  });
  return new Function("exports", "surroundings", `${outputText}; return assembled(surroundings);`)({}, surroundings);
}

/** The quota that the guide leaves open: small, so that a test can fill it. */
export const QUOTA = 64 * 1024;
