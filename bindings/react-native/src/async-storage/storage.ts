import { connected } from "../connection.js";
import type { KeyValue } from "../key-value.js";
import { AsyncStorageError } from "./errors.js";
import { KeySpace, prefixOf } from "./key-space.js";

/** Key-value data with the interface of AsyncStorage 3. Every call fails with an `AsyncStorageError`. */
export interface AsyncStorage {
  /** The value under `key`, or null. */
  getItem(key: string): Promise<string | null>;
  /** Stores `value` (up to 16 MiB) under `key` (up to 1 KiB, the storage's name included). */
  setItem(key: string, value: string): Promise<void>;
  /** Removes `key`, if it is there. */
  removeItem(key: string): Promise<void>;
  /** The values under `keys`, null where there is none. */
  getMany(keys: string[]): Promise<Record<string, string | null>>;
  /** Stores all entries; up to 10,000 of them in one transaction. */
  setMany(entries: Record<string, string>): Promise<void>;
  /** Removes all keys; up to 10,000 of them in one transaction. */
  removeMany(keys: string[]): Promise<void>;
  /** All keys. */
  getAllKeys(): Promise<string[]>;
  /** Removes everything in this storage, and nothing else. */
  clear(): Promise<void>;
}

/**
 * The storage with this name. It shares nothing with storages of other names, nor with the default one; two of one name
 * are the same. They all lie in the core that was given to `connect`.
 */
export function createAsyncStorage(databaseName: string): AsyncStorage {
  return storageOf(new KeySpace(checkedName(databaseName)));
}

/** What stands before the keys of the storage with this name in `core.kv`: the `keyPrefix` to import it with. */
export function keyPrefixOf(databaseName: string): string {
  return prefixOf(checkedName(databaseName));
}

function checkedName(databaseName: string): string {
  try {
    // Half a character cannot be encoded, and throws.
    if (typeof databaseName === "string" && encodeURIComponent(databaseName) !== "") return databaseName;
  } catch {}
  throw refused("databaseName is not a name");
}

/** The calls of version 3 on the keys of one storage. They may be taken out of the object and called alone. */
export function storageOf(space: KeySpace): AsyncStorage {
  const values = async (keys: readonly string[]): Promise<(string | null)[]> => {
    const stored = listOf("keys", keys).map((key) => space.stored(key));
    const found = await inChunks(stored, (kv, chunk) => kv.multiGet(chunk));
    return found.flat().map(({ value }) => value ?? null);
  };
  const ownKeys = async (): Promise<string[]> =>
    (await onCore((kv) => kv.keys())).flatMap((stored) => space.own(stored) ?? []);
  const remove = async (keys: readonly string[]): Promise<void> => {
    const stored = listOf("keys", keys).map((key) => space.stored(key));
    await inChunks(stored, (kv, chunk) => kv.multiRemove(chunk));
  };
  return {
    getItem: async (key) => (await values([key]))[0] ?? null,
    setItem: (key, value) => onCore((kv) => kv.set(space.stored(key), value)),
    removeItem: (key) => onCore((kv) => kv.remove(space.stored(key))),
    getMany: async (keys) => {
      const found = await values(keys);
      return Object.fromEntries(keys.map((key, index) => [key, found[index] ?? null]));
    },
    setMany: async (entries) => {
      if (typeof entries !== "object" || entries === null) throw refused("entries is not an object");
      await storePairs(space, Object.entries(entries));
    },
    removeMany: remove,
    getAllKeys: ownKeys,
    clear: async () => remove(await ownKeys()),
  };
}

/** Stores pairs of key and value. */
export async function storePairs(space: KeySpace, pairs: readonly (readonly [string, string])[]): Promise<void> {
  await inChunks(storedPairs(space, pairs), (kv, chunk) => kv.multiSet(chunk));
}

/** Merges pairs of key and JSON object into what is stored. */
export async function mergePairs(space: KeySpace, pairs: readonly (readonly [string, string])[]): Promise<void> {
  await inChunks(storedPairs(space, pairs), (kv, chunk) => kv.merge(chunk));
}

function storedPairs(space: KeySpace, pairs: readonly (readonly [string, string])[]) {
  return listOf("pairs", pairs).map((pair, index) => {
    if (!Array.isArray(pair)) throw refused(`pairs[${index}] is not a pair of key and value`);
    const [key, value] = pair as readonly [string, string];
    return { key: space.stored(key), value };
  });
}

/** The core takes so many items in one transaction. */
const CHUNK = 10_000;

async function inChunks<Item, Answer>(
  items: readonly Item[],
  call: (kv: KeyValue, chunk: Item[]) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let start = 0; start < items.length; start += CHUNK) {
    answers.push(await onCore((kv) => call(kv, items.slice(start, start + CHUNK))));
  }
  return answers;
}

async function onCore<Answer>(call: (kv: KeyValue) => Promise<Answer>): Promise<Answer> {
  try {
    return await call((await connected()).kv);
  } catch (error) {
    throw AsyncStorageError.nativeError(error);
  }
}

function listOf<Item>(field: string, list: readonly Item[]): readonly Item[] {
  if (!Array.isArray(list)) throw refused(`${field} is not an array`);
  return list;
}

function refused(problem: string): AsyncStorageError {
  return AsyncStorageError.jsError(problem, AsyncStorageError.Type.OtherStorageError);
}
