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

  /** Keeps `value` under `key` for `ttlMs` milliseconds, or for the time that the configuration says. */
  set(key: string, value: string, ttlMs?: number): void {
    now(() => this.#core.cacheSet(text("key", key), text("value", value), optional(count)("ttlMs", ttlMs)));
  }

  /** Forgets `key`; false if it was not there. */
  remove(key: string): boolean {
    return now(() => this.#core.cacheRemove(text("key", key)));
  }

  /** Forgets everything. */
  clear(): void {
    now(() => this.#core.cacheClear());
  }

  /** How the cache is doing. */
  statistics(): native.CacheStatistics {
    return now(() => this.#core.cacheStatistics());
  }
}
