import { abortReason } from "./calls.js";
import type { EventPump, Receiver } from "./event-pump.js";
import type { CallOptions, CoreEvent } from "./types.js";

/** Events kept for a loop that is slow: as many as the core keeps. */
const KEPT = 1_024;

type Result = IteratorResult<CoreEvent, undefined>;
const DONE: Result = { done: true, value: undefined };

/**
 * One loop's events, from its making on: those that are `wanted`, and `Missed`. A loop that is left wants no more; one whose
 * signal is aborted fails with its reason; one whose core is shut down gets what is left, and ends.
 */
export class EventFeed implements AsyncIterableIterator<CoreEvent, undefined>, Receiver {
  readonly #wanted: (event: CoreEvent) => boolean;
  readonly #kept: CoreEvent[] = [];
  readonly #waiting: { resolve(result: Result): void; reject(failure: unknown): void }[] = [];
  #missed = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #detach: () => void = () => {};

  constructor(pump: EventPump, wanted: (event: CoreEvent) => boolean, options?: CallOptions) {
    this.#wanted = wanted;
    const signal = options?.signal;
    if (signal?.aborted) throw abortReason(signal);
    const detach = pump.attach(this);
    if (!signal) {
      this.#detach = detach;
      return;
    }
    const abort = () => {
      this.skip();
      this.#end({ error: abortReason(signal) });
    };
    signal.addEventListener("abort", abort, { once: true });
    this.#detach = () => {
      signal.removeEventListener("abort", abort);
      detach();
    };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const event = this.#shift();
    if (event) return Promise.resolve({ done: false, value: event });
    if (!this.#ended) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    const failure = this.#failure;
    this.#failure = undefined;
    return failure ? Promise.reject(failure.error) : Promise.resolve(DONE);
  }

  return(): Promise<Result> {
    this.skip();
    this.#failure = undefined;
    this.#end(undefined);
    return Promise.resolve(DONE);
  }

  /** Forgets everything that was not read yet. */
  skip(): void {
    this.#kept.length = 0;
    this.#missed = 0;
  }

  /** @internal */
  take(event: CoreEvent): void {
    if (event.type !== "Missed" && !this.#wanted(event)) return;
    const waiting = this.#waiting.shift();
    if (waiting) return waiting.resolve({ done: false, value: event });
    if (this.#kept.length === KEPT) {
      const dropped = this.#kept.shift();
      this.#missed += dropped?.type === "Missed" ? dropped.count : 1;
    }
    this.#kept.push(event);
  }

  /** @internal */
  end(failure?: unknown): void {
    this.#end(failure === undefined ? undefined : { error: failure });
  }

  #shift(): CoreEvent | undefined {
    if (this.#missed === 0) return this.#kept.shift();
    const missed: CoreEvent = { type: "Missed", count: this.#missed };
    this.#missed = 0;
    return missed;
  }

  #end(failure: { readonly error: unknown } | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#detach();
    // The first that waits is told why, the others that it is over.
    const [first, ...others] = this.#waiting.splice(0);
    if (!first) this.#failure = failure;
    else if (failure) first.reject(failure.error);
    else first.resolve(DONE);
    for (const other of others) other.resolve(DONE);
  }
}
