// Several storages in one table. The storage that every app has keeps its keys as they are, so that what was imported
// is found, and `core.kv` shows the same data; every other storage's keys begin with its name.

const MARK = "@@storage/";
/** Before those keys without a name that would be taken for another storage's, or that the core does not take: "". */
const NAMELESS = `${MARK}/`;

/** The keys of one storage among all keys of the core. */
export class KeySpace {
  readonly #prefix: string | undefined;

  /** @param name Without a name: the storage whose keys are kept as they are. */
  constructor(name?: string) {
    // Percent-encoded, a name has no "/": no two names and keys make the same stored key.
    this.#prefix = name === undefined ? undefined : prefixOf(name);
  }

  /** The key under which the core keeps this storage's `key`. What is no string stays so, and the core refuses it. */
  stored(key: string): string {
    if (typeof key !== "string") return key;
    return this.#plain(key) ? key : (this.#prefix ?? NAMELESS) + key;
  }

  /** The reverse; nothing if the key is another storage's. */
  own(stored: string): string | undefined {
    if (this.#plain(stored)) return stored;
    const prefix = this.#prefix ?? NAMELESS;
    return stored.startsWith(prefix) ? stored.slice(prefix.length) : undefined;
  }

  #plain(key: string): boolean {
    return this.#prefix === undefined && key !== "" && !key.startsWith(MARK);
  }
}

/** What stands before the keys of the storage with this name. */
export function prefixOf(name: string): string {
  return `${MARK}${encodeURIComponent(name)}/`;
}
