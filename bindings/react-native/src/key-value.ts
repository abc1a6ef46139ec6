import { ask } from "./calls.js";
import { listOf, text } from "./checks.js";
import type * as native from "./generated/index.js";
import * as input from "./inputs.js";
import type { CallOptions } from "./types.js";

/** Key-value data with AsyncStorage's semantics, durable like everything else: `core.kv`. */
export class KeyValue {
  readonly #core: native.SafeScan;

  /** @internal */
  constructor(core: native.SafeScan) {
    this.#core = core;
  }

  /** The value under `key`, if there is one. */
  get(key: string, options?: CallOptions): Promise<string | undefined> {
    return ask(() => this.#core.kvGet(text("key", key)), options);
  }

  /** Stores `value` (up to 16 MiB) under `key` (1 byte to 1 KiB, no NUL). What has returned survives a kill and a power cut. */
  set(key: string, value: string, options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvSet(text("key", key), text("value", value)), options);
  }

  /** Removes `key`, if it is there. */
  remove(key: string, options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvRemove(text("key", key)), options);
  }

  /** The values under up to 10,000 keys, in the same order. */
  multiGet(keys: readonly string[], options?: CallOptions): Promise<native.KvEntry[]> {
    return ask(() => this.#core.kvMultiGet(listOf(text)("keys", keys)), options);
  }

  /** Stores up to 10,000 pairs in one transaction; of two with one key the later stays. */
  multiSet(pairs: readonly native.KvPair[], options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvMultiSet(listOf(input.kvPair)("pairs", pairs)), options);
  }

  /** Removes up to 10,000 keys in one transaction. Those that are not there are ignored. */
  multiRemove(keys: readonly string[], options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvMultiRemove(listOf(text)("keys", keys)), options);
  }

  /**
   * Merges JSON objects into those stored: objects deeply, anything else by replacement; what is not there is stored as
   * given. All pairs in one transaction. Fails with `InvalidInput` if a value, or what is stored, is not a JSON object;
   * nothing is changed then.
   */
  merge(pairs: readonly native.KvPair[], options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvMerge(listOf(input.kvPair)("pairs", pairs)), options);
  }

  /** All keys, in the order of their UTF-8 bytes. */
  keys(options?: CallOptions): Promise<string[]> {
    return ask(() => this.#core.kvKeys(), options);
  }

  /** Removes all key-value data. Scans, votes and settings stay. */
  clear(options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvClear(), options);
  }
}
