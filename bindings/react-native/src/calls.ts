import { translated } from "./errors.js";
import type { CallOptions } from "./types.js";

/** Checks the arguments and calls the core; whatever goes wrong rejects the promise with an error of this package. */
export async function ask<T>(call: () => Promise<T>, options: CallOptions | undefined): Promise<T> {
  const signal = options?.signal;
  if (signal?.aborted) throw abortReason(signal);
  const answer = answered(call);
  return signal ? unlessAborted(answer, signal) : answer;
}

/** The same for calls that do not wait. */
export function now<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translated(error);
  }
}

/** What an aborted call fails with. React Native's own signals have no `reason`. */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? Object.assign(new Error("the call was aborted"), { name: "AbortError" });
}

async function answered<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw translated(error);
  }
}

/**
 * Stops waiting when the signal says so. The call itself goes on below: to cancel it there, this thread would have to wait
 * for a lock that a thread of the core's may hold while it waits for this one.
 */
function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(abortReason(signal));
    signal.addEventListener("abort", leave, { once: true });
    void answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
