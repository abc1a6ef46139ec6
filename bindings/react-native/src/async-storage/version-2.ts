import { KeySpace } from "./key-space.js";
import { type AsyncStorage, mergePairs, storageOf, storePairs } from "./storage.js";

/** Called without an error, or with the one that the promise rejects with. */
export type Callback = (error?: Error | null) => void;
/** The same with what was asked for. */
export type CallbackWithResult<T> = (error?: Error | null, result?: T | null) => void;
/** A key, and its value or null. */
export type KeyValuePair = [string, string | null];
/** A batch fails as a whole: one error or none. */
export type MultiCallback = (errors?: readonly (Error | null)[] | null) => void;
/** The same with what was asked for. */
export type MultiGetCallback = (errors?: readonly (Error | null)[] | null, result?: readonly KeyValuePair[]) => void;

/** The interface of AsyncStorage 2. Every call gives a promise; a callback is told the same, before. */
export type AsyncStorageStatic = {
  /** The value under `key`, or null. */
  getItem: (key: string, callback?: CallbackWithResult<string>) => Promise<string | null>;
  /** Stores `value` under `key`. */
  setItem: (key: string, value: string, callback?: Callback) => Promise<void>;
  /** Removes `key`, if it is there. */
  removeItem: (key: string, callback?: Callback) => Promise<void>;
  /** Merges a JSON object into the one stored: objects deeply, anything else by replacement. */
  mergeItem: (key: string, value: string, callback?: Callback) => Promise<void>;
  /** Removes everything in this storage. Storages with a name stay. */
  clear: (callback?: Callback) => Promise<void>;
  /** All keys. */
  getAllKeys: (callback?: CallbackWithResult<readonly string[]>) => Promise<string[]>;
  /** Does nothing: no request waits to be sent together with others. */
  flushGetRequests: () => void;
  /** The keys with their values, in the same order. */
  multiGet: (keys: readonly string[], callback?: MultiGetCallback) => Promise<readonly KeyValuePair[]>;
  /** Stores all pairs in one transaction. */
  multiSet: (keyValuePairs: readonly (readonly [string, string])[], callback?: MultiCallback) => Promise<void>;
  /** Removes all keys in one transaction. */
  multiRemove: (keys: readonly string[], callback?: MultiCallback) => Promise<void>;
  /** Merges all pairs in one transaction. */
  multiMerge: (keyValuePairs: readonly (readonly [string, string])[], callback?: MultiCallback) => Promise<void>;
};

/** The calls on one key. */
export type AsyncStorageHook = {
  getItem: (callback?: CallbackWithResult<string>) => Promise<string | null>;
  setItem: (value: string, callback?: Callback) => Promise<void>;
  mergeItem: (value: string, callback?: Callback) => Promise<void>;
  removeItem: (callback?: Callback) => Promise<void>;
};

const space = new KeySpace();
const storage = storageOf(space);

/** The storage that every app has, with the calls of both versions. */
export const defaultStorage: Omit<AsyncStorage, keyof AsyncStorageStatic> & AsyncStorageStatic = {
  ...storage,
  getItem: (key, callback) => telling(storage.getItem(key), callback),
  setItem: (key, value, callback) => telling(storage.setItem(key, value), callback),
  removeItem: (key, callback) => telling(storage.removeItem(key), callback),
  mergeItem: (key, value, callback) => telling(mergePairs(space, [[key, value]]), callback),
  clear: (callback) => telling(storage.clear(), callback),
  getAllKeys: (callback) => telling(storage.getAllKeys(), callback),
  flushGetRequests: () => undefined,
  multiGet: (keys, callback) => tellingAll(pairsOf(keys), callback),
  multiSet: (pairs, callback) => tellingAll(storePairs(space, pairs), callback),
  multiRemove: (keys, callback) => tellingAll(storage.removeMany(keys as string[]), callback),
  multiMerge: (pairs, callback) => tellingAll(mergePairs(space, pairs), callback),
};

/** The calls of the default storage on one key. Not bound to React: it may be called anywhere. */
export function useAsyncStorage(key: string): AsyncStorageHook {
  return {
    getItem: (callback) => defaultStorage.getItem(key, callback),
    setItem: (value, callback) => defaultStorage.setItem(key, value, callback),
    mergeItem: (value, callback) => defaultStorage.mergeItem(key, value, callback),
    removeItem: (callback) => defaultStorage.removeItem(key, callback),
  };
}

async function pairsOf(keys: readonly string[]): Promise<KeyValuePair[]> {
  const values = await storage.getMany(keys as string[]);
  return keys.map((key) => [key, values[key] ?? null]);
}

/** What a callback throws rejects the promise: it would otherwise be lost. */
function telling<T>(
  answer: Promise<T>,
  callback: ((error?: Error | null, result?: T) => void) | undefined,
): Promise<T> {
  if (!callback) return answer;
  return answer.then(
    (result) => {
      callback(null, result);
      return result;
    },
    (error: Error) => {
      callback(error);
      throw error;
    },
  );
}

/** The same for callbacks that take a list of errors. */
function tellingAll<T>(
  answer: Promise<T>,
  callback: ((errors?: readonly (Error | null)[] | null, result?: T) => void) | undefined,
): Promise<T> {
  return telling(answer, callback && ((error, result) => callback(error ? [error] : null, result as T)));
}
