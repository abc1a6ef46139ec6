import { invalid } from "./errors.js";
import * as native from "./generated/index.js";
import { mayHaveCallbacks } from "./host.js";

/** A callback that may be given to the native library: it must not throw just anything, nor outlive its thread. */
export function contained<Arguments extends unknown[]>(
  callback: (...args: Arguments) => void,
): (...args: Arguments) => void {
  if (typeof callback !== "function") throw invalid("callback", "is not a function");
  if (!mayHaveCallbacks) throw invalid("callback", "is given on a worker thread: only the main thread can have one");
  return (...args) => {
    try {
      callback(...args);
    } catch {
      throw new native.ListenerError.Failed({ reason: "the callback threw" });
    }
  };
}
