/**
 * AsyncStorage, versions 2 and 3, over the core's key-value store. An app switches by an alias from
 * "@react-native-async-storage/async-storage" to "react-native-safescan/async-storage", and, once where it starts, by
 *
 * ```ts
 * connect(() => SafeScan.open({ directory }));
 * ```
 *
 * What is different:
 * - An empty string stays one: version 2 gave null for it on phones.
 * - What is no string is refused: version 2 warned, and stored something or nothing, by platform.
 * - A batch succeeds or fails as a whole, and its promise rejects with one error, not with a list.
 * - `mergeItem` takes JSON objects only, also where nothing is stored yet.
 * @module
 */
export { connect, type ConnectOptions, type CoreSource, NotConnectedError } from "../connection.js";
export { AsyncStorageError, type AsyncStorageErrorType } from "./errors.js";
export { type AsyncStorage, createAsyncStorage, keyPrefixOf } from "./storage.js";
export {
  type AsyncStorageHook,
  type AsyncStorageStatic,
  type Callback,
  type CallbackWithResult,
  type KeyValuePair,
  type MultiCallback,
  type MultiGetCallback,
  useAsyncStorage,
} from "./version-2.js";
export { defaultStorage as default } from "./version-2.js";
