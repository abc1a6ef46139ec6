import type { CallOptions, CoreEvent, EventListener, EventType, OpenOptions } from "../../types.js";
import { invalid } from "./errors.js";

type Result = IteratorResult<CoreEvent, undefined>;
type Receiver = { take(event: CoreEvent): void; end(): void };

/** Events kept for a loop that is slow. */
const KEPT = 1_024;
const DONE: Result = { done: true, value: undefined };

/** Tells everyone of what happened, after the call that did it. */
export class Events {
  readonly #receivers = new Set<Receiver>();
  readonly #complain: NonNullable<OpenOptions["onListenerError"]>;

  constructor(complain: OpenOptions["onListenerError"]) {
    this.#complain = complain ?? ((_, { type }) => console.error(`SafeScan: a listener of ${type} failed`));
  }

  emit(event: CoreEvent): void {
    queueMicrotask(() => {
      for (const receiver of [...this.#receivers]) receiver.take(event);
    });
  }

  /** Every loop gets what happened before, and ends. */
  end(): void {
    queueMicrotask(() => {
      for (const receiver of [...this.#receivers]) receiver.end();
      this.#receivers.clear();
    });
  }

  on<Type extends EventType | "*">(type: Type, listener: EventListener<Type>): () => void {
    if (typeof listener !== "function") throw invalid("listener", "is not a function");
    const tell = listener as (event: CoreEvent) => void | Promise<void>;
    return this.#attach({
      take: (event) => {
        if (type !== "*" && type !== event.type) return;
        new Promise((resolve) => resolve(tell(event))).catch((error: unknown) => this.#complain(error, event));
      },
      end() {},
    });
  }

  loop(options: CallOptions | undefined): AsyncIterable<CoreEvent> {
    return { [Symbol.asyncIterator]: () => this.#loop(options?.signal) };
  }

  #attach(receiver: Receiver): () => void {
    this.#receivers.add(receiver);
    return () => this.#receivers.delete(receiver);
  }

  #loop(signal: AbortSignal | undefined): AsyncIterator<CoreEvent, undefined> {
    signal?.throwIfAborted();
    const kept: CoreEvent[] = [];
    let missed = 0;
    let ended = false;
    let wake = () => {};
    const detach = this.#attach({
      take(event) {
        if (kept.length === KEPT) {
          kept.shift();
          missed += 1;
        }
        kept.push(event);
        wake();
      },
      end() {
        ended = true;
        wake();
      },
    });
    const abort = () => wake();
    signal?.addEventListener("abort", abort, { once: true });
    const leave = async (): Promise<Result> => {
      ended = true;
      kept.length = missed = 0;
      detach();
      signal?.removeEventListener("abort", abort);
      wake();
      return DONE;
    };
    const next = async (): Promise<Result> => {
      for (;;) {
        if (signal?.aborted) {
          await leave();
          throw signal.reason;
        }
        if (missed > 0) {
          const count = missed;
          missed = 0;
          return { done: false, value: { type: "Missed", count } };
        }
        const event = kept.shift();
        if (event) return { done: false, value: event };
        if (ended) return DONE;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    };
    return { next, return: leave };
  }
}
