import { ask, now } from "./calls.js";
import { count, oneOf, optional, text } from "./checks.js";
import { EventFeed } from "./event-feed.js";
import type { EventPump } from "./event-pump.js";
import * as native from "./generated/index.js";
import type { CallOptions, CoreEvent, OperationQuery, SyncStatus } from "./types.js";

/** Bringing changes to the server, and those of others to this device: `core.sync`. */
export class Sync {
  readonly #core: native.SafeScan;
  readonly #pump: EventPump;
  #lastReport: native.SyncReport | undefined;

  /** @internal */
  constructor(core: native.SafeScan, pump: EventPump) {
    this.#core = core;
    this.#pump = pump;
  }

  /**
   * Sends and fetches now, and tells how it went. Callers at the same time share one run, which begins after their call.
   * Nobody has to call this: changes are sent by themselves as soon as there is a way. It is for "pull to refresh".
   *
   * Fails with `Offline`, `Unauthorized` or `RateLimited`; nothing is lost then, and it is tried again by itself.
   */
  now(options?: CallOptions): Promise<native.SyncReport> {
    return ask(async () => (this.#lastReport = await this.#core.syncNow()), options);
  }

  /**
   * The same within `deadlineMs` (1 to 600,000), for the short time that the system gives an app in the background; works
   * while the core is suspended. At the deadline it returns, and what is left waits for the next run.
   */
  runOnce(deadlineMs: number, options?: CallOptions): Promise<native.BackgroundRun> {
    return ask(async () => {
      const run = await this.#core.runOnce(count("deadlineMs", deadlineMs));
      this.#lastReport = run.report;
      return run;
    }, options);
  }

  /**
   * Gives the token that requests are made with; `undefined` takes it away. It is kept in memory only: give it after each
   * `open`, and whenever the event `TokenWanted` comes.
   */
  setToken(token: string | undefined, options?: CallOptions): Promise<void> {
    return ask(() => this.#core.setAuthToken(optional(text)("token", token)), options);
  }

  /** Tells what the system says of the network. Not needed, but a network that comes back is noticed sooner. */
  networkChanged(state: native.NetworkState): void {
    now(() => this.#core.networkChanged(oneOf(native.NetworkState)("state", state)));
  }

  /** How synchronisation stands. */
  async status(options?: CallOptions): Promise<SyncStatus> {
    const { pendingOperations: pending } = await ask(() => this.#core.statistics(), options);
    const { services } = now(() => this.#core.health());
    const sync = services.find(({ service }) => service === native.Service.CloudSync);
    const realtime = services.find(({ service }) => service === native.Service.Realtime);
    return {
      state: sync?.state ?? native.ServiceState.Disabled,
      cause: sync?.cause ?? native.HealthCause.NotConfigured,
      realtime: realtime?.state ?? native.ServiceState.Disabled,
      pending,
      lastReport: this.#lastReport,
    };
  }

  /**
   * How synchronisation stands, and again whenever that changes, until the loop is left or the core is shut down.
   *
   * ```ts
   * for await (const { pending } of core.sync.statuses({ signal })) badge.show(pending);
   * ```
   */
  statuses(options?: CallOptions): AsyncIterable<SyncStatus> {
    return { [Symbol.asyncIterator]: () => this.#statuses(options) };
  }

  async *#statuses(options: CallOptions | undefined): AsyncGenerator<SyncStatus, void, undefined> {
    const changes = new EventFeed(this.#pump, concernsStatus, options);
    try {
      let status = await this.status(options);
      yield status;
      for await (const event of changes) {
        const next = event.type === "Missed" ? await this.status(options) : after(event, status);
        this.#lastReport = next.lastReport;
        if (same(next, status)) continue;
        status = next;
        yield status;
      }
    } finally {
      void changes.return();
    }
  }

  /** A page (1 to 500, by default 50) of the changes that wait to be sent, in the order in which they were made. */
  operations(query: OperationQuery & CallOptions = {}): Promise<native.OperationPage> {
    return ask(() => {
      const limit = optional(count)("limit", query.limit);
      return this.#core.pendingOperations(limit, optional(text)("cursor", query.cursor));
    }, query);
  }

  /** Makes an operation due at once, parked or not; false if there is none with this id. */
  retry(id: native.OperationId, options?: CallOptions): Promise<boolean> {
    return ask(() => this.#core.retryOperation(text("id", id)), options);
  }

  /** Gives an operation up: the change stays on this device and is not sent. False if there is none with this id. */
  discard(id: native.OperationId, options?: CallOptions): Promise<boolean> {
    return ask(() => this.#core.discardOperation(text("id", id)), options);
  }
}

function concernsStatus(event: CoreEvent): boolean {
  return event.type === "HealthChanged" || event.type === "OperationsChanged" || event.type === "SyncFinished";
}

/** How synchronisation stands after an event. */
function after(event: CoreEvent, status: SyncStatus): SyncStatus {
  switch (event.type) {
    case "OperationsChanged":
      return { ...status, pending: event.pending };
    case "SyncFinished":
      return { ...status, lastReport: event.report };
    case "HealthChanged": {
      const { service, state, cause } = event.health;
      if (service === native.Service.CloudSync) return { ...status, state, cause };
      return service === native.Service.Realtime ? { ...status, realtime: state } : status;
    }
    default:
      return status;
  }
}

function same(one: SyncStatus, other: SyncStatus): boolean {
  return (Object.keys(one) as (keyof SyncStatus)[]).every((field) => one[field] === other[field]);
}
