import type { Cache } from "../../cache.js";
import type { CacheStatistics } from "../../generated/index.js";
import { content, given, name, whole } from "./checks.js";
import type { Session } from "./session.js";

const DEFAULT_CAPACITY = 1_000;
const DEFAULT_TTL_MS = 300_000;

export class MemoryCache implements Pick<Cache, keyof Cache> {
  readonly #session: Session;
  /** The one used longest ago comes first. */
  readonly #entries = new Map<string, { readonly value: string; readonly until: number }>();
  #hits = 0;
  #misses = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  get(key: string): string | undefined {
    return this.#session.now(() => {
      const entry = this.#entries.get(name("key", key));
      this.#entries.delete(key);
      if (!entry || entry.until <= performance.now()) {
        this.#misses += 1;
        return undefined;
      }
      this.#entries.set(key, entry);
      this.#hits += 1;
      return entry.value;
    });
  }

  set(key: string, value: string, ttlMs?: number): void {
    this.#session.now(() => {
      const ttl = given(ttlMs, (ttl) => whole("ttl_ms", ttl, 1, 0xffff_ffff));
      const until = performance.now() + (ttl ?? this.#session.config.cacheTtlMs ?? DEFAULT_TTL_MS);
      this.#entries.delete(name("key", key));
      this.#entries.set(key, { value: content("value", value), until });
      for (const oldest of this.#entries.keys()) {
        if (this.#entries.size <= this.#capacity) break;
        this.#entries.delete(oldest);
      }
    });
  }

  remove(key: string): boolean {
    return this.#session.now(() => this.#entries.delete(name("key", key)));
  }

  clear(): void {
    this.#session.now(() => this.#entries.clear());
  }

  statistics(): CacheStatistics {
    return this.#session.now(() => {
      const [hits, misses] = [this.#hits, this.#misses];
      const hitRate = hits + misses === 0 ? 0 : hits / (hits + misses);
      return { entries: this.#entries.size, capacity: this.#capacity, hits, misses, hitRate };
    });
  }

  get #capacity(): number {
    return this.#session.config.cacheCapacity ?? DEFAULT_CAPACITY;
  }
}
