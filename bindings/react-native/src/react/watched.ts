import type { SafeScanError } from "../errors.js";
import type { CallOptions } from "../types.js";
import { Store } from "./store.js";

/** The latest that a loop gave. */
export interface Latest<T> {
  /** Nothing until it is known. */
  readonly value: T | undefined;
  /** What the loop failed with: no more will come. */
  readonly error: SafeScanError | undefined;
}

/** Follows a loop while a component looks. */
export class Watched<T> extends Store<Latest<T>> {
  readonly #loop: (options: CallOptions) => AsyncIterable<T>;

  constructor(loop: (options: CallOptions) => AsyncIterable<T>, value?: T) {
    super({ value, error: undefined });
    this.#loop = loop;
  }

  protected override begin(signal: AbortSignal): void {
    void this.#follow(signal);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      for await (const value of this.#loop({ signal })) {
        if (!signal.aborted) this.update({ value, error: undefined });
      }
    } catch (error) {
      // The core's loops fail with nothing else.
      if (!signal.aborted) this.update({ error: error as SafeScanError });
    }
  }
}
