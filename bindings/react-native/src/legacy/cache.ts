import { present } from "../connection.js";
import type { CacheStatistics } from "../generated/index.js";

/** The longest life the core takes, in milliseconds: 49 days. No cache lives that long. */
const FOREVER = 0xffff_ffff;
const NOTHING: CacheStatistics = { entries: 0, capacity: 0, hits: 0, misses: 0, hitRate: 0 };

/**
 * Values in memory for a while: `core.cache`. They are kept as JSON: what comes back is a copy, of what JSON can say. A
 * value that JSON cannot say, and any value before the core is open, is not kept.
 */
export class CacheService {
  private static instance: CacheService;

  private constructor() {}

  static getInstance(): CacheService {
    return (CacheService.instance ??= new CacheService());
  }

  /** Keeps `value` under `key` for `ttl` milliseconds, five minutes if nothing is said. */
  set<T>(key: string, value: T, ttl?: number): void {
    const cache = present()?.cache;
    try {
      cache?.remove(key);
      const json: string | undefined = JSON.stringify(value);
      // Of a time that is over nothing is kept.
      if (json === undefined || (ttl ?? 0) < 0) return;
      cache?.set(key, json, ttl ? Math.min(Math.ceil(ttl), FOREVER) : undefined);
    } catch {}
  }

  /** The value under `key`, or null. */
  get<T>(key: string): T | null {
    try {
      const json = present()?.cache.get(key);
      return json === undefined ? null : (JSON.parse(json) as T);
    } catch {
      return null;
    }
  }

  getStatistics(): CacheStatistics {
    try {
      return present()?.cache.statistics() ?? NOTHING;
    } catch {
      return NOTHING;
    }
  }
}
