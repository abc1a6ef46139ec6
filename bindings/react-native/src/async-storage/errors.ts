import { NotConnectedError } from "../connection.js";
import type { SafeScanError, SafeScanErrorType } from "../errors.js";

const Type = {
  /** There is no core: none was connected, or it was shut down. */
  NativeModuleError: "NativeModuleError",
  /** Only browsers. Here for code that compares with it. */
  WebStorageError: "WebStorageError",
  /** The database: full, locked, or written by a newer version. */
  SqliteStorageError: "SqliteStorageError",
  /** The call: a key or value that cannot be taken. */
  OtherStorageError: "OtherStorageError",
  /** Anything else. */
  UnknownError: "UnknownError",
} as const;

/** What an `AsyncStorageError` is about. */
export type AsyncStorageErrorType = (typeof Type)[keyof typeof Type];

const typeOf: Record<SafeScanErrorType, AsyncStorageErrorType> = {
  InvalidInput: Type.OtherStorageError,
  StorageFull: Type.SqliteStorageError,
  StorageUnavailable: Type.SqliteStorageError,
  StorageIncompatible: Type.SqliteStorageError,
  Stopped: Type.NativeModuleError,
  Offline: Type.UnknownError,
  Unauthorized: Type.UnknownError,
  RateLimited: Type.UnknownError,
  Internal: Type.UnknownError,
};

/**
 * What every call of a storage fails with. `cause` is the core's own error, whose `type` says more. The message names
 * what is wrong and never holds keys or values.
 */
export class AsyncStorageError extends Error {
  static readonly Type = Type;
  override readonly name = "AsyncStorageError";

  private constructor(
    /** The same as `message`. */
    readonly errorMessage: string,
    readonly type: AsyncStorageErrorType,
    options?: ErrorOptions,
  ) {
    super(errorMessage, options);
  }

  /** The error for something that was thrown below. */
  static nativeError(error: unknown): AsyncStorageError {
    if (error instanceof AsyncStorageError) return error;
    const reason = error instanceof Error ? error.message : "the storage failed";
    return new AsyncStorageError(reason, kindOf(error), { cause: error });
  }

  /** An error with this message and of this type. */
  static jsError(error: string, type: AsyncStorageErrorType): AsyncStorageError {
    return new AsyncStorageError(error, type);
  }
}

function kindOf(error: unknown): AsyncStorageErrorType {
  if (error instanceof NotConnectedError) return Type.NativeModuleError;
  // By name: the class would bring the native library along, which a test with another core may not have.
  const { name, type } = Object(error) as Partial<SafeScanError>;
  return (name === "SafeScanError" && type && typeOf[type]) || Type.UnknownError;
}
