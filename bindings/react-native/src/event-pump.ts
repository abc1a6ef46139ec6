// One loop pulls the core's events for everyone on this side, and only while somebody wants them: a core that nobody listens
// to makes no call, and a Node program with nobody listening may exit.
import { now } from "./calls.js";
import { translated } from "./errors.js";
import type * as native from "./generated/index.js";
import { type CoreEvent, union } from "./types.js";

/** Events pulled at a time: the most that the core gives. */
const PORTION = 500;

type Reader = ReturnType<native.SafeScan["eventReader"]>;

/** Who is told of events. Neither may throw. */
export interface Receiver {
  take(event: CoreEvent): void;
  /** There will be no more: the core was shut down, or this went wrong. */
  end(failure?: unknown): void;
}

export class EventPump {
  readonly #core: native.SafeScan;
  readonly #receivers = new Set<Receiver>();
  #reader: Reader | undefined;

  constructor(core: native.SafeScan) {
    this.#core = core;
  }

  /**
   * Tells `receiver` of every event from now on, until the function returned is called. The first one begins with what
   * nobody has heard of yet.
   */
  attach(receiver: Receiver): () => void {
    if (this.#reader === undefined) {
      const reader = now(() => this.#core.eventReader());
      this.#reader = reader;
      void this.#pump(reader);
    }
    this.#receivers.add(receiver);
    return () => {
      if (this.#receivers.delete(receiver) && this.#receivers.size === 0) this.#stop();
    };
  }

  #stop(): void {
    this.#reader?.finish();
    this.#reader = undefined;
  }

  async #pump(reader: Reader): Promise<void> {
    let failure: unknown;
    try {
      for (;;) {
        const events = await reader.next(PORTION);
        if (events.length === 0) break;
        for (const event of events) this.#tell(reader, union(event));
      }
    } catch (error) {
      failure = translated(error);
    }
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    const left = [...this.#receivers];
    this.#receivers.clear();
    for (const receiver of left) receiver.end(failure);
  }

  #tell(reader: Reader, event: CoreEvent): void {
    // A copy: who begins to listen while an event is told has not begun before it.
    for (const receiver of [...this.#receivers]) {
      if (this.#reader === reader && this.#receivers.has(receiver)) receiver.take(event);
    }
  }
}
