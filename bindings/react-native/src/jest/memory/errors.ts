// The same errors as the package's own, which cannot be had where the native library is missing.
import type { SafeScanErrorType } from "../../errors.js";

export class SafeScanError extends Error {
  override readonly name = "SafeScanError";
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

export class CircuitOpenError extends Error {
  override readonly name = "CircuitOpenError";

  constructor(readonly retryAfterMs: number) {
    super(`the circuit breaker is open for another ${retryAfterMs} ms`);
  }
}

export function invalid(field: string, problem: string): SafeScanError {
  return new SafeScanError("InvalidInput", `${field} ${problem}`);
}

/** For what the stand-in does not have. */
export function absent(what: string): SafeScanError {
  return new SafeScanError("Internal", `the in-memory stand-in has no ${what}: run this test with the native library`);
}
