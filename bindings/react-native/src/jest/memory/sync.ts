import type { BackgroundRun, NetworkState, OperationId, OperationPage, SyncReport } from "../../generated/index.js";
import type { Sync } from "../../sync.js";
import type { CallOptions, OperationQuery, SyncStatus } from "../../types.js";
import { given, oneOf, text, whole } from "./checks.js";
import { NetworkState as States } from "./enums.js";
import { invalid, SafeScanError } from "./errors.js";
import type { Session } from "./session.js";

/** No server is ever reached, and nothing is queued for one. */
export class MemorySync implements Pick<Sync, keyof Sync> {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  now(options?: CallOptions): Promise<SyncReport> {
    return this.#session.ask(options, () => this.#unreachable());
  }

  runOnce(deadlineMs: number, options?: CallOptions): Promise<BackgroundRun> {
    return this.#session.ask(options, () => {
      whole("deadline_ms", deadlineMs, 1, 600_000);
      return this.#unreachable();
    });
  }

  setToken(token: string | undefined, options?: CallOptions): Promise<void> {
    return this.#session.ask(options, () => {
      given(token, (token) => text("token", token));
      this.#wanted();
    });
  }

  networkChanged(state: NetworkState): void {
    this.#session.now(() => oneOf("state", state, States));
  }

  status(options?: CallOptions): Promise<SyncStatus> {
    return this.#session.ask(options, () => this.#status());
  }

  statuses(options?: CallOptions): AsyncIterable<SyncStatus> {
    return { [Symbol.asyncIterator]: () => this.#statuses(options) };
  }

  async *#statuses(options: CallOptions | undefined): AsyncGenerator<SyncStatus, void, undefined> {
    const changes = this.#session.events.loop(options)[Symbol.asyncIterator]();
    try {
      yield await this.status(options);
      // It never changes: what is left to wait for is the end.
      while (!(await changes.next()).done);
    } finally {
      await changes.return?.();
    }
  }

  operations(query: OperationQuery & CallOptions = {}): Promise<OperationPage> {
    return this.#session.ask(query, () => {
      whole("limit", query.limit ?? 50, 1, 500);
      return { operations: [], withheld: 0 };
    });
  }

  retry(id: OperationId, options?: CallOptions): Promise<boolean> {
    return this.#session.ask(options, () => {
      text("id", id);
      return false;
    });
  }

  discard(id: OperationId, options?: CallOptions): Promise<boolean> {
    return this.retry(id, options);
  }

  #status(): SyncStatus {
    const wanted = this.#session.config.sync !== undefined;
    const state = wanted ? "Unavailable" : "Disabled";
    return {
      state,
      cause: wanted ? "NotSupported" : "NotConfigured",
      realtime: state,
      pending: 0,
      lastReport: undefined,
    };
  }

  #unreachable(): never {
    this.#wanted();
    throw new SafeScanError("Offline", "the in-memory stand-in has no network");
  }

  #wanted(): void {
    if (this.#session.config.sync === undefined) throw invalid("sync", "is not part of the configuration");
  }
}
