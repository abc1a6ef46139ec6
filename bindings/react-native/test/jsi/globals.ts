// Makes the bare engine what React Native is to a package: timers, a console, text encoding, aborting. And takes away what
// React Native's own engine has not, or not in all versions, so that nothing here comes to need it.
import { host } from "./host.js";

type Timer = number;

class TextEncoder {
  encode(text: string): Uint8Array {
    const bytes = new Uint8Array(host.utf8Length(text));
    this.encodeInto(text, bytes);
    return bytes;
  }

  encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
    return { read: text.length, written: host.writeUtf8(text, into.buffer, into.byteOffset) };
  }
}

class AbortSignal {
  aborted = false;
  reason: unknown;
  readonly #listeners = new Map<() => void, boolean>();

  addEventListener(_: "abort", listener: () => void, options?: { once?: boolean }): void {
    this.#listeners.set(listener, options?.once ?? false);
  }

  removeEventListener(_: "abort", listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** @internal */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const [listener, once] of [...this.#listeners]) {
      if (once) this.#listeners.delete(listener);
      listener();
    }
  }
}

class AbortController {
  readonly signal = new AbortSignal();

  abort(reason?: unknown): void {
    this.signal.abort(reason ?? Object.assign(new Error("this was aborted"), { name: "AbortError" }));
  }
}

Object.assign(globalThis, {
  setTimeout: (callback: (...args: unknown[]) => void, delay = 0, ...args: unknown[]): Timer =>
    host.startTimer(() => callback(...args), delay, false),
  setInterval: (callback: () => void, period = 0): Timer => host.startTimer(callback, period, true),
  setImmediate: host.post,
  clearTimeout: (id?: Timer) => id !== undefined && host.stopTimer(id),
  clearInterval: (id?: Timer) => id !== undefined && host.stopTimer(id),
  queueMicrotask: (task: () => void) => void Promise.resolve().then(task),
  console: { log: print, info: print, warn: print, error: print },
  performance: { now: host.now },
  TextEncoder,
  AbortController,
  AbortSignal,
});

function print(...parts: unknown[]): void {
  host.print(parts.map(String).join(" "));
}

for (const [holder, names] of [
  [globalThis, ["TextDecoder", "structuredClone", "Iterator"]],
  [Symbol, ["asyncDispose", "dispose"]],
  [String.prototype, ["isWellFormed", "toWellFormed"]],
  [Promise, ["withResolvers", "try"]],
  [Object, ["groupBy"]],
  [Map, ["groupBy"]],
  [Array, ["fromAsync"]],
  [Set.prototype, ["union", "intersection", "difference", "isSubsetOf"]],
] as const) {
  for (const name of names) Reflect.deleteProperty(holder, name);
}
