import { isMainThread } from "node:worker_threads";

import { count, finite, flag, listOf, oneOf, optional, text } from "./checks.js";
import { CircuitOpenError, invalid, translated } from "./errors.js";
import * as native from "./generated/index.js";
import * as input from "./inputs.js";
import {
  type CallOptions,
  type CircuitEntry,
  type Code,
  type CoreEvent,
  type NewScan,
  type NewVote,
  type SafeScanConfig,
  type ScanDetails,
  type ScanQuery,
  type SettingsUpdate,
  type VoteDetails,
  type VoteOutcome,
  type VoteQuery,
  type Voter,
  union,
} from "./types.js";


/**
 * The on-device data core of one app: scan history, votes, community ratings, key-value data, cache and health in one
 * handle.
 *
 * Open it once and keep it. Calls may overlap as they like; none of those that return a promise blocks JavaScript.
 * Writes that have returned survive a killed process and a power cut. Every call fails with a `SafeScanError`; times are
 * milliseconds since 1970.
 *
 * ```ts
 * await using core = await SafeScan.open({ directory });
 * const scan = await core.recordScan("https://example.com/menu", { verdict: "Safe" });
 * const rating = await core.rating(scan.text);
 * ```
 */
export class SafeScan implements AsyncDisposable {
  readonly #core: native.SafeScan;
  /** Events that were pulled, and that no loop has taken yet. */
  readonly #pulled: CoreEvent[] = [];
  /** Goes on waiting for nobody. */
  #abandoned: Promise<CoreEvent[]> | undefined;

  private constructor(core: native.SafeScan) {
    this.#core = core;
  }

  // Life

  /**
   * Opens the core in `config.directory`, an absolute path, making what is missing. Cheap: no data is scanned, whatever
   * the size. A directory that is open already in this process gives the same core again; a different configuration is
   * then refused.
   *
   * Fails with `InvalidInput` (the message names the field), `StorageUnavailable` (locked device, read-only folder,
   * another process), or `StorageIncompatible` (a newer version wrote the file).
   */
  static async open(config: SafeScanConfig, options?: CallOptions): Promise<SafeScan> {
    const core = await ask(() => native.SafeScan.open(input.config("config", config)), options);
    return new SafeScan(core as native.SafeScan);
  }

  /**
   * To be called when the app goes to the background: ends the transaction in work, folds the log into the database and
   * closes every file. Calls made meanwhile still work: each opens the files for its own duration.
   */
  suspend(options?: CallOptions): Promise<void> {
    return ask(() => this.#core.suspend(), options);
  }

  /** To be called when the app comes back. Cheap. */
  resume(options?: CallOptions): Promise<void> {
    return ask(() => this.#core.resume(), options);
  }

  /** Gives memory back. */
  memoryPressure(level: native.MemoryPressure): void {
    now(() => this.#core.memoryPressure(oneOf(native.MemoryPressure)("level", level)));
  }

  /**
   * Ends everything: waits for accepted writes, closes the files, ends the event streams. May be called again. Every
   * other call then fails with `Stopped`.
   */
  shutdown(options?: CallOptions): Promise<void> {
    return ask(() => this.#core.shutdown(), options);
  }

  /** As `shutdown`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  // Scans

  /** Records a scan and returns it with its id. Fails with `InvalidInput` or `StorageFull`; nothing is stored then. */
  recordScan(text: string, details?: ScanDetails & CallOptions): Promise<native.Scan> {
    return ask(() => this.#core.recordScan(input.newScan("scan", { ...details, text })), details);
  }

  /** Records up to 10,000 scans in one transaction: all of them or, on an error, none. Much cheaper than one by one. */
  recordScans(scans: readonly NewScan[], options?: CallOptions): Promise<native.Scan[]> {
    return ask(() => this.#core.recordScans(listOf(input.newScan)("scans", scans)), options);
  }

  /** The scan with this id, if there is one. */
  scan(id: native.ScanId, options?: CallOptions): Promise<native.Scan | undefined> {
    return ask(() => this.#core.scan(text("id", id)), options);
  }

  /** A page of the history (1 to 500 scans), newest first. As fast at the millionth scan as at the first. */
  scanHistory(query: ScanQuery & CallOptions = {}): Promise<native.ScanPage> {
    return ask(() => this.#core.scanHistory(input.scanQuery("query", query)), query);
  }

  /** Deletes a scan; false if there is none with this id. Votes on the code stay. */
  deleteScan(id: native.ScanId, options?: CallOptions): Promise<boolean> {
    return ask(() => this.#core.deleteScan(text("id", id)), options);
  }

  /** Deletes the whole history and returns how many scans it had. Votes stay. */
  clearHistory(options?: CallOptions): Promise<number> {
    return ask(() => this.#core.clearHistory(), options);
  }

  // Votes

  /** Casts or changes a vote: one stands per voter and code, the latest wins. */
  submitVote(code: Code, choice: native.VoteChoice, details?: VoteDetails & CallOptions): Promise<VoteOutcome> {
    const vote = { ...details, code, choice };
    return ask(async () => union(await this.#core.submitVote(input.newVote("vote", vote))), details);
  }

  /**
   * Casts up to 10,000 votes in one transaction and returns their outcomes in the same order. On an error none is
   * stored.
   */
  submitVotes(votes: readonly NewVote[], options?: CallOptions): Promise<VoteOutcome[]> {
    return ask(
      async () => (await this.#core.submitVotes(listOf(input.newVote)("votes", votes))).map(union),
      options,
    );
  }

  /** Takes a vote back. */
  retractVote(code: Code, voter?: Voter & CallOptions): Promise<VoteOutcome> {
    return ask(async () => union(await this.#core.retractVote(input.code("code", code), userOf(voter))), voter);
  }

  /** The voter's standing vote on a code, if there is one. */
  myVote(code: Code, voter?: Voter & CallOptions): Promise<native.Vote | undefined> {
    return ask(() => this.#core.myVote(input.code("code", code), userOf(voter)), voter);
  }

  /** A page of the voter's standing votes (1 to 500), the latest first. */
  myVotes(query: VoteQuery & CallOptions = {}): Promise<native.VotePage> {
    return ask(() => this.#core.myVotes(input.voteQuery("query", query)), query);
  }

  /** Sets how much a voter on this device counts, from 0 to 10; 1 is usual. Standing votes are weighed anew. */
  setReputation(weight: number, voter?: Voter & CallOptions): Promise<void> {
    return ask(() => this.#core.setReputation(finite("weight", weight), userOf(voter)), voter);
  }

  // Ratings

  /**
   * The rating of a code at this moment. It takes the same time with ten votes and with a million, and does not fail
   * when the votes cannot be read: `source` then says `Cached`, `Stale` or `Neutral`.
   */
  rating(code: Code, options?: CallOptions): Promise<native.Rating> {
    return ask(() => this.#core.rating(input.code("code", code)), options);
  }

  /** The ratings of up to 500 codes, in the same order. */
  ratings(codes: readonly Code[], options?: CallOptions): Promise<native.Rating[]> {
    return ask(() => this.#core.ratings(listOf(input.code)("codes", codes)), options);
  }

  /** The rating last seen in this process, for this moment, without waiting, if there is one in memory. */
  cachedRating(code: Code): native.Rating | undefined {
    return now(() => this.#core.cachedRating(input.code("code", code)));
  }

  /**
   * Asks for a `RatingChanged` event at every change of these codes' ratings. Counted: each `watch` wants an `unwatch`.
   * At most 1,000 codes at a time.
   */
  watch(codes: readonly Code[]): void {
    now(() => this.#core.watch(listOf(input.code)("codes", codes)));
  }

  /** Takes a `watch` back. Codes that are not watched are ignored. */
  unwatch(codes: readonly Code[]): void {
    now(() => this.#core.unwatch(listOf(input.code)("codes", codes)));
  }

  // Changes that wait for a server

  /** A page (1 to 500, by default 50) of the changes that wait to be sent, in the order in which they were made. */
  pendingOperations(query: { limit?: number; cursor?: string } & CallOptions = {}): Promise<native.OperationPage> {
    return ask(() => {
      const limit = optional(count)("limit", query.limit);
      return this.#core.pendingOperations(limit, optional(text)("cursor", query.cursor));
    }, query);
  }

  /** Makes an operation due at once, parked or not; false if there is none with this id. */
  retryOperation(id: native.OperationId, options?: CallOptions): Promise<boolean> {
    return ask(() => this.#core.retryOperation(text("id", id)), options);
  }

  /** Gives an operation up: the change stays on this device and is not sent. False if there is none with this id. */
  discardOperation(id: native.OperationId, options?: CallOptions): Promise<boolean> {
    return ask(() => this.#core.discardOperation(text("id", id)), options);
  }

  // Synchronisation

  /**
   * Sends and fetches now, and tells how it went. Callers at the same time share one run, which begins after their call.
   * Nobody has to call this: changes are sent by themselves as soon as there is a way. It is for "pull to refresh".
   *
   * Fails with `Offline`, `Unauthorized` or `RateLimited`; nothing is lost then, and it is tried again by itself.
   */
  syncNow(options?: CallOptions): Promise<native.SyncReport> {
    return ask(() => this.#core.syncNow(), options);
  }

  /**
   * The same within `deadlineMs` (1 to 600,000), for the short time that the system gives an app in the background; works
   * while the core is suspended. At the deadline it returns, and what is left waits for the next run.
   */
  runOnce(deadlineMs: number, options?: CallOptions): Promise<native.BackgroundRun> {
    return ask(() => this.#core.runOnce(count("deadlineMs", deadlineMs)), options);
  }

  /** Tells what the system says of the network. Not needed, but a network that comes back is noticed sooner. */
  networkChanged(state: native.NetworkState): void {
    now(() => this.#core.networkChanged(oneOf(native.NetworkState)("state", state)));
  }

  /**
   * Gives the token that requests are made with; `undefined` takes it away. It is kept in memory only: give it after each
   * `open`, and whenever the event `TokenWanted` comes.
   */
  setAuthToken(token: string | undefined, options?: CallOptions): Promise<void> {
    return ask(() => this.#core.setAuthToken(optional(text)("token", token)), options);
  }

  // Key-value data, with AsyncStorage's semantics, durable like everything else

  /** The value under `key`, if there is one. */
  kvGet(key: string, options?: CallOptions): Promise<string | undefined> {
    return ask(() => this.#core.kvGet(text("key", key)), options);
  }

  /** Stores `value` (up to 16 MiB) under `key` (1 byte to 1 KiB). */
  kvSet(key: string, value: string, options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvSet(text("key", key), text("value", value)), options);
  }

  /** Removes `key`, if it is there. */
  kvRemove(key: string, options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvRemove(text("key", key)), options);
  }

  /** The values under `keys`, in the same order. */
  kvMultiGet(keys: readonly string[], options?: CallOptions): Promise<native.KvEntry[]> {
    return ask(() => this.#core.kvMultiGet(listOf(text)("keys", keys)), options);
  }

  /** Stores all pairs in one transaction; of two with one key the later stays. */
  kvMultiSet(pairs: readonly native.KvPair[], options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvMultiSet(listOf(input.kvPair)("pairs", pairs)), options);
  }

  /** Removes all keys in one transaction. */
  kvMultiRemove(keys: readonly string[], options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvMultiRemove(listOf(text)("keys", keys)), options);
  }

  /**
   * Merges JSON objects into those stored: objects deeply, anything else by replacement; what is not there is stored as
   * given. All pairs in one transaction. Fails with `InvalidInput` if a value, or what is stored, is not a JSON object;
   * nothing is changed then.
   */
  kvMerge(pairs: readonly native.KvPair[], options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvMerge(listOf(input.kvPair)("pairs", pairs)), options);
  }

  /** All keys, in the order of their UTF-8 bytes. */
  kvKeys(options?: CallOptions): Promise<string[]> {
    return ask(() => this.#core.kvKeys(), options);
  }

  /** Removes all key-value data. Scans, votes and settings stay. */
  kvClear(options?: CallOptions): Promise<void> {
    return ask(() => this.#core.kvClear(), options);
  }

  // The cache: values in memory for a while, gone after a restart

  /** The value under `key`, if it is there and its time is not over. */
  cacheGet(key: string): string | undefined {
    return now(() => this.#core.cacheGet(text("key", key)));
  }

  /** Keeps `value` under `key` for `ttlMs` milliseconds, or for the time that the configuration says. */
  cacheSet(key: string, value: string, ttlMs?: number): void {
    now(() => this.#core.cacheSet(text("key", key), text("value", value), optional(count)("ttlMs", ttlMs)));
  }

  /** Forgets `key`; false if it was not there. */
  cacheRemove(key: string): boolean {
    return now(() => this.#core.cacheRemove(text("key", key)));
  }

  /** Forgets everything. */
  cacheClear(): void {
    now(() => this.#core.cacheClear());
  }

  /** How the cache is doing. */
  cacheStatistics(): native.CacheStatistics {
    return now(() => this.#core.cacheStatistics());
  }

  // Settings

  /** The user's settings. */
  settings(options?: CallOptions): Promise<native.UserSettings> {
    return ask(() => this.#core.settings(), options);
  }

  /** Changes settings and returns them all. */
  updateSettings(update: SettingsUpdate, options?: CallOptions): Promise<native.UserSettings> {
    return ask(() => this.#core.updateSettings(input.settingsUpdate("update", update)), options);
  }

  // Upkeep

  /** How much room is taken, in bytes. Cheap: nothing is counted on the way. */
  storageUsage(options?: CallOptions): Promise<native.StorageUsage> {
    return ask(() => this.#core.storageUsage(), options);
  }

  /** Reads and checks every row: a second per several hundred thousand. Other calls go on meanwhile. */
  checkIntegrity(options?: CallOptions): Promise<native.IntegrityReport> {
    return ask(() => this.#core.checkIntegrity(), options);
  }

  /**
   * Takes damaged rows out, and rebuilds the database from every readable row where its structure is broken. The broken
   * files are put aside, not deleted. Other calls wait meanwhile.
   */
  repair(options?: CallOptions): Promise<native.RepairReport> {
    return ask(() => this.#core.repair(), options);
  }

  /** Removes what the settings no longer keep, and makes room if the quota is near. */
  cleanUp(options?: CallOptions): Promise<native.CleanUpReport> {
    return ask(() => this.#core.cleanUp(), options);
  }

  /** Writes everything as JSON Lines to a new file at this absolute path. An existing file is refused. */
  exportData(path: string, options?: CallOptions): Promise<native.ExportReport> {
    return ask(() => this.#core.exportData(text("path", path)), options);
  }

  /** Erases all data, quarantined files included. The installation gets a new identity. */
  eraseAllData(options?: CallOptions): Promise<void> {
    return ask(() => this.#core.eraseAllData(), options);
  }

  // Observation

  /** The state of every part, without waiting. */
  health(): native.SystemHealth {
    return now(() => this.#core.health());
  }

  /** Counts over everything stored. Cheap: they are kept with every write. */
  statistics(options?: CallOptions): Promise<native.Statistics> {
    return ask(() => this.#core.statistics(), options);
  }

  /**
   * Events as they happen, until the core is shut down. Leaving the loop loses none: the next loop begins with those
   * that this one did not get to. Made for one loop per app: a new one ends one that still waits. A waiting loop keeps
   * Node from exiting.
   *
   * ```ts
   * for await (const event of core.events()) {
   *   if (event.type === "ScansAdded") refresh(event.latest);
   * }
   * ```
   */
  async *events(options?: CallOptions): AsyncGenerator<CoreEvent, void, undefined> {
    for (;;) {
      for (let event = this.#pulled.shift(); event !== undefined; event = this.#pulled.shift()) yield event;
      const events = await this.nextEvents(undefined, options);
      if (events.length === 0) return;
      this.#pulled.push(...events);
    }
  }

  /**
   * Waits for events and returns up to `max` (1 to 500, by default 100) of them; none means that there will be no more,
   * or that a newer call took over. The last 1,024 events are kept for a slow reader; `Missed` stands in for older ones.
   * A call after an aborted one may
   * get as many as that one had asked for. `events` is the more comfortable form.
   */
  nextEvents(max?: number, options?: CallOptions): Promise<CoreEvent[]> {
    return ask(() => this.#pull(optional(count)("max", max), options?.signal), options);
  }

  /** The next portion of events. That of a call that was aborted goes to the next call. */
  #pull(max: number | undefined, signal: AbortSignal | undefined): Promise<CoreEvent[]> {
    const pull = this.#abandoned ?? this.#core.nextEvents(max).then((events) => events.map(union));
    this.#abandoned = undefined;
    if (signal) {
      const abandon = () => (this.#abandoned = pull);
      signal.addEventListener("abort", abandon, { once: true });
      void pull.catch(() => undefined).finally(() => signal.removeEventListener("abort", abandon));
    }
    return pull;
  }

  /**
   * Tells `listener` of every event from now on, in place of the one before; `undefined`: nobody is told. What a listener
   * throws is counted by the core and goes no further. Only on Node's main thread: a worker has `events`.
   */
  setListener(listener: ((event: CoreEvent) => void) | undefined): void {
    const told = listener && contained(listener);
    now(() => this.#core.setListener(told && { onEvent: (event) => told(union(event)) }));
  }

  /**
   * Sends log records of `level` and above to `sink`; `undefined`: nowhere. None holds content, ids or tokens.
   * Only on Node's main thread.
   */
  setLogSink(
    level: native.LogLevel,
    sink: ((level: native.LogLevel, target: string, text: string) => void) | undefined,
  ): void {
    const log = sink && contained(sink);
    now(() => this.#core.setLogSink(oneOf(native.LogLevel)("level", level), log && { log }));
  }

  // Circuit breakers, by name, for the app's own services: five failures within ten seconds open one for a minute

  /**
   * Makes a call of `service` (a name of the app's choice) unless it failed too often of late: then it fails at once with
   * `CircuitOpenError`. A call that throws counts as a failure.
   *
   * ```ts
   * const page = await core.withCircuitBreaker("link preview", () => fetch(url, { signal }));
   * ```
   */
  async withCircuitBreaker<T>(service: string, call: () => T | PromiseLike<T>): Promise<T> {
    const entry = this.circuitEnter(service);
    if (entry.type === "Refused") throw new CircuitOpenError(entry.retryAfterMs);
    let succeeded = false;
    try {
      const result = await call();
      succeeded = true;
      return result;
    } finally {
      // A core that was shut down meanwhile has no more use for the report, and the call's own result matters more.
      try {
        this.circuitReport(service, entry.permit, succeeded);
      } catch {}
    }
  }

  /** Asks to make a call of `service`; `withCircuitBreaker` is the more comfortable form. */
  circuitEnter(service: string): CircuitEntry {
    return now(() => union(this.#core.circuitEnter(text("service", service))));
  }

  /** Reports how the call went. An unknown or expired permit is ignored. */
  circuitReport(service: string, permit: number, succeeded: boolean): void {
    now(() =>
      this.#core.circuitReport(text("service", service), count("permit", permit), flag("succeeded", succeeded)),
    );
  }

  /** How the breaker of `service` stands. */
  circuitState(service: string): native.CircuitState {
    return now(() => this.#core.circuitState(text("service", service)));
  }
}

/** Checks the arguments and calls the core; whatever goes wrong rejects the promise with an error of this package. */
async function ask<T>(call: () => Promise<T>, options: CallOptions | undefined): Promise<T> {
  const signal = options?.signal;
  signal?.throwIfAborted();
  try {
    const answer = call();
    return await (signal ? unlessAborted(answer, signal) : answer);
  } catch (error) {
    throw signal?.aborted && error === signal.reason ? error : translated(error);
  }
}

/**
 * Stops waiting when the signal says so. The call itself goes on below: to cancel it there, this thread would have to wait
 * for a lock that a thread of the core's may hold while it waits for this one.
 */
function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

/** The same for calls that do not wait. */
export function now<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translated(error);
  }
}

const userOf = (voter: Voter | undefined): string | undefined => optional(text)("userId", voter?.userId);

/** A callback that may be given to the native library: it must not throw just anything, nor outlive its thread. */
function contained<Arguments extends unknown[]>(callback: (...args: Arguments) => void): (...args: Arguments) => void {
  if (typeof callback !== "function") throw invalid("callback", "is not a function");
  if (!isMainThread) throw invalid("callback", "is given on a worker thread: only the main thread can have one");
  return (...args) => {
    try {
      callback(...args);
    } catch {
      throw new native.ListenerError.Failed({ reason: "the listener threw" });
    }
  };
}
