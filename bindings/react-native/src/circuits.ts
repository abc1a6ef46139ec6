import { now } from "./calls.js";
import { count, flag, text } from "./checks.js";
import { CircuitOpenError } from "./errors.js";
import type * as native from "./generated/index.js";
import { type CircuitEntry, union } from "./types.js";

/**
 * Circuit breakers, by name, for the app's own services: five failures within ten seconds open one for a minute.
 * `core.circuits`.
 */
export class Circuits {
  readonly #core: native.SafeScan;

  /** @internal */
  constructor(core: native.SafeScan) {
    this.#core = core;
  }

  /**
   * Makes a call of `service` (a name of the app's choice) unless it failed too often of late: then it fails at once with
   * `CircuitOpenError`. A call that throws counts as a failure.
   *
   * ```ts
   * const page = await core.circuits.run("link preview", () => fetch(url, { signal }));
   * ```
   */
  async run<T>(service: string, call: () => T | PromiseLike<T>): Promise<T> {
    const entry = this.enter(service);
    if (entry.type === "Refused") throw new CircuitOpenError(entry.retryAfterMs);
    let succeeded = false;
    try {
      const result = await call();
      succeeded = true;
      return result;
    } finally {
      // A core that was shut down meanwhile has no more use for the report, and the call's own result matters more.
      try {
        this.report(service, entry.permit, succeeded);
      } catch {}
    }
  }

  /** Asks to make a call of `service`; `run` is the more comfortable form. */
  enter(service: string): CircuitEntry {
    return now(() => union(this.#core.circuitEnter(text("service", service))));
  }

  /** Reports how the call went. An unknown or expired permit is ignored. */
  report(service: string, permit: number, succeeded: boolean): void {
    now(() =>
      this.#core.circuitReport(text("service", service), count("permit", permit), flag("succeeded", succeeded)),
    );
  }

  /** How the breaker of `service` stands. */
  state(service: string): native.CircuitState {
    return now(() => this.#core.circuitState(text("service", service)));
  }
}
