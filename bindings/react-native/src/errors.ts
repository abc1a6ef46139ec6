import { SafeScanError as NativeError, SafeScanError_Tags as Tags } from "./generated/index.js";

/** What the app can do about a `SafeScanError`. */
export type SafeScanErrorType = `${Tags}`;

/**
 * What went wrong, told by what the app can do now:
 *
 * - `InvalidInput`: correct the argument that the message names. Nothing was changed.
 * - `StorageFull`: make room: delete scans, or raise the quota. Everything stored stays readable and deletable.
 * - `StorageUnavailable`: try again later: the device is locked, the folder is read-only, or another process has the
 *   database.
 * - `StorageIncompatible`: update the app: a newer version wrote the database. It was left untouched.
 * - `Offline`: go on: the server cannot be reached, or does not answer as it should. Nothing is lost.
 * - `Unauthorized`: give another token with `sync.setToken`. Nothing is lost.
 * - `RateLimited`: try again after `retryAfterMs`: the server asked for fewer requests.
 * - `Stopped`: open the core again: it was shut down.
 * - `Internal`: report a bug, or call `storage.repair` if the message says that the database is damaged.
 *
 * The message is for the developer: it names the field or the step, and never holds content, ids or paths.
 *
 * ```ts
 * if (error instanceof SafeScanError && error.type === "StorageFull") await core.scans.clear();
 * ```
 */
export class SafeScanError extends Error {
  override readonly name = "SafeScanError";
  /** Of `RateLimited`: after so many milliseconds another try is worthwhile. */
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly type: SafeScanErrorType,
    reason: string,
    options?: ErrorOptions & { readonly retryAfterMs?: number },
  ) {
    super(reason, options);
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** Thrown by `core.circuits.run` in place of making a call that would most likely fail. */
export class CircuitOpenError extends Error {
  override readonly name = "CircuitOpenError";

  /** @param retryAfterMs Another try is worthwhile after so many milliseconds. */
  constructor(readonly retryAfterMs: number) {
    super(`the circuit breaker is open for another ${retryAfterMs} ms`);
  }
}

/** @internal */
export function invalid(field: string, problem: string): SafeScanError {
  return new SafeScanError("InvalidInput", `${field} ${problem}`);
}

/**
 * Whether a loop ends because the core does, which is no failure of the loop's.
 * @internal
 */
export function isEndOfCore(error: unknown): boolean {
  return error instanceof SafeScanError && error.type === "Stopped";
}

/**
 * What the app gets to see of something that the generated code threw.
 * @internal
 */
export function translated(error: unknown): unknown {
  if (error instanceof SafeScanError) return error;
  if (NativeError.instanceOf(error)) {
    const { reason } = error.inner;
    if (error.tag !== Tags.RateLimited) return new SafeScanError(error.tag, reason);
    return new SafeScanError(error.tag, reason, { retryAfterMs: error.inner.retryAfterMs });
  }
  return new SafeScanError("Internal", "the native library failed", { cause: error });
}
