import type { Circuits } from "../../circuits.js";
import type { CircuitState } from "../../generated/index.js";
import type { CircuitEntry } from "../../types.js";
import { flag, name } from "./checks.js";
import { CircuitOpenError } from "./errors.js";
import type { Session } from "./session.js";

const FAILURES = 5;
const WINDOW_MS = 10_000;
const RESET_MS = 60_000;

interface Breaker {
  failures: number[];
  openedAt?: number | undefined;
  trial?: number | undefined;
}

export class MemoryCircuits implements Pick<Circuits, keyof Circuits> {
  readonly #session: Session;
  readonly #breakers = new Map<string, Breaker>();
  #permits = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  async run<T>(service: string, call: () => T | PromiseLike<T>): Promise<T> {
    const entry = this.enter(service);
    if (entry.type === "Refused") throw new CircuitOpenError(entry.retryAfterMs);
    try {
      const result = await call();
      this.#settle(service, entry.permit, true);
      return result;
    } catch (error) {
      this.#settle(service, entry.permit, false);
      throw error;
    }
  }

  enter(service: string): CircuitEntry {
    const breaker = this.#breaker(service);
    const { openedAt } = breaker;
    const permit = (this.#permits += 1);
    if (openedAt === undefined) return { type: "Allowed", permit };
    const retryAfterMs = Math.max(0, Math.ceil(openedAt + RESET_MS - performance.now()));
    if (retryAfterMs > 0 || breaker.trial !== undefined) return { type: "Refused", retryAfterMs };
    breaker.trial = permit;
    return { type: "Allowed", permit };
  }

  report(service: string, permit: number, succeeded: boolean): void {
    this.#breaker(service);
    this.#settle(service, permit, flag("succeeded", succeeded));
  }

  state(service: string): CircuitState {
    const { openedAt } = this.#breaker(service);
    if (openedAt === undefined) return "Closed";
    return performance.now() - openedAt < RESET_MS ? "Open" : "HalfOpen";
  }

  #breaker(service: string): Breaker {
    return this.#session.now(() => {
      const breaker = this.#breakers.get(name("service", service)) ?? { failures: [] };
      this.#breakers.set(service, breaker);
      return breaker;
    });
  }

  #settle(service: string, permit: number, succeeded: boolean): void {
    const breaker = this.#breakers.get(service);
    if (!breaker) return;
    const now = performance.now();
    if (breaker.openedAt !== undefined) {
      if (breaker.trial !== permit) return;
      this.#breakers.set(service, succeeded ? { failures: [] } : { failures: [], openedAt: now });
      return;
    }
    if (succeeded) return;
    breaker.failures = [...breaker.failures.filter((at) => now - at < WINDOW_MS), now];
    if (breaker.failures.length >= FAILURES) breaker.openedAt = now;
  }
}
