import type { KvEntry, KvPair } from "../../generated/index.js";
import type { KeyValue } from "../../key-value.js";
import type { CallOptions } from "../../types.js";
import { content, listOf, name, object } from "./checks.js";
import { invalid } from "./errors.js";
import { record, type Session } from "./session.js";

/** So many keys are named in an event; none if there are more. */
const NAMED_KEYS = 100;

type Json = Readonly<Record<string, unknown>>;

export class MemoryKeyValue implements Pick<KeyValue, keyof KeyValue> {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  get(key: string, options?: CallOptions): Promise<string | undefined> {
    return this.#session.ask(options, () => this.#values.get(name("key", key)));
  }

  set(key: string, value: string, options?: CallOptions): Promise<void> {
    return this.#session.ask(options, () => this.#store([pair("", { key, value })]));
  }

  remove(key: string, options?: CallOptions): Promise<void> {
    return this.multiRemove([key], options);
  }

  multiGet(keys: readonly string[], options?: CallOptions): Promise<KvEntry[]> {
    return this.#session.ask(options, () =>
      listOf("keys", keys, name).map((key) => record<KvEntry>({ key, value: this.#values.get(key) })),
    );
  }

  multiSet(pairs: readonly KvPair[], options?: CallOptions): Promise<void> {
    return this.#session.ask(options, () => this.#store(listOf("pairs", pairs, pair)));
  }

  multiRemove(keys: readonly string[], options?: CallOptions): Promise<void> {
    return this.#session.ask(options, () => {
      this.#changed(listOf("keys", keys, name).filter((key) => this.#values.delete(key)));
    });
  }

  merge(pairs: readonly KvPair[], options?: CallOptions): Promise<void> {
    return this.#session.ask(options, () => {
      const merged = new Map<string, string>();
      for (const { key, value } of listOf("pairs", pairs, pair)) {
        const update = parsed("value", value);
        const stored = merged.get(key) ?? this.#values.get(key);
        merged.set(key, stored === undefined ? value : JSON.stringify(merge(parsed("stored value", stored), update)));
      }
      this.#store([...merged].map(([key, value]) => ({ key, value })));
    });
  }

  keys(options?: CallOptions): Promise<string[]> {
    return this.#session.ask(options, () =>
      [...this.#values.keys()].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))),
    );
  }

  clear(options?: CallOptions): Promise<void> {
    return this.#session.ask(options, () => {
      if (this.#values.size === 0) return;
      this.#values.clear();
      this.#session.events.emit({ type: "KeyValueChanged", keys: [] });
    });
  }

  get #values(): Map<string, string> {
    return this.#session.contents.kv;
  }

  #store(pairs: readonly KvPair[]): void {
    for (const { key, value } of pairs) this.#values.set(key, value);
    this.#changed(pairs.map(({ key }) => key));
  }

  #changed(keys: string[]): void {
    if (keys.length === 0) return;
    this.#session.events.emit({ type: "KeyValueChanged", keys: keys.length > NAMED_KEYS ? [] : keys });
  }
}

function pair(field: string, value: unknown): KvPair {
  const at = field && `${field}.`;
  const given = object(field, value);
  return { key: name(`${at}key`, given["key"]), value: content(`${at}value`, given["value"]) };
}

function parsed(field: string, value: string): Json {
  try {
    const json: unknown = JSON.parse(value);
    if (isObject(json)) return json;
  } catch {}
  throw invalid(field, "is not a JSON object");
}

function merge(base: Json, update: Json): Json {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(update)) {
    const below = merged[key];
    merged[key] = isObject(below) && isObject(value) ? merge(below, value) : value;
  }
  return merged;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
