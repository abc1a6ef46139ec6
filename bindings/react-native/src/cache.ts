import { now } from "./calls.js";
import { count, optional, text } from "./checks.js";
import type * as native from "./generated/index.js";

/** Values in memory for a while, gone after a restart: `core.cache`. No call waits. */
export class Cache {
  readonly #core: native.SafeScan;

  /** @internal */
  constructor(core: native.SafeScan) {
    this.#core = core;
  }

  /** The value under `key`, if it is there and its time is not over. */
  get(key: string): string | undefined {
    return now(() => this.#core.cacheGet(text("key", key)));
  }

  /**
   * Keeps `value` (up to 16 MiB) under `key` (1 byte to 1 KiB) for `ttlMs` milliseconds, or for the time that the
   * configuration says. When the cache is full, a value that was little used gives way.
   */
  set(key: string, value: string, ttlMs?: number): void {
    now(() => this.#core.cacheSet(text("key", key), text("value", value), optional(count)("ttlMs", ttlMs)));
  }

  /** Forgets what is under `key`; false if that is nothing. */
  remove(key: string): boolean {
    return now(() => this.#core.cacheRemove(text("key", key)));
  }

  /** Forgets everything. */
  clear(): void {
    now(() => this.#core.cacheClear());
  }

  /** How the cache is doing: entries, hits, misses. */
  statistics(): native.CacheStatistics {
    return now(() => this.#core.cacheStatistics());
  }
}
