// What differs between the JavaScript engines that this package runs on. This is Node's; React Native's is beside it, with
// the same names.
import { isMainThread } from "node:worker_threads";

/** Whether this thread may give callbacks to the native library: their table is one per process. */
export const mayHaveCallbacks: boolean = isMainThread;

/** Whether a text has no half of a surrogate pair. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed();
}
