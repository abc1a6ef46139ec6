import { Cache } from "./cache.js";
import { contained } from "./callbacks.js";
import { ask, now } from "./calls.js";
import { oneOf } from "./checks.js";
import { Circuits } from "./circuits.js";
import { EventFeed } from "./event-feed.js";
import { EventPump } from "./event-pump.js";
import * as native from "./generated/index.js";
import * as input from "./inputs.js";
import { KeyValue } from "./key-value.js";
import { Listeners } from "./listeners.js";
import { Ratings } from "./ratings.js";
import { Scans } from "./scans.js";
import { Settings } from "./settings.js";
import { Storage } from "./storage.js";
import { Sync } from "./sync.js";
import type { CallOptions, CoreEvent, EventListener, EventType, OpenOptions, SafeScanConfig } from "./types.js";
import { Votes } from "./votes.js";

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
 * const scan = await core.scans.record("https://example.com/menu", { verdict: "Safe" });
 * const rating = await core.ratings.get(scan.text);
 * ```
 */
export class SafeScan implements AsyncDisposable {
  /** The scan history. */
  readonly scans: Scans;
  /** What people on this device say of codes. */
  readonly votes: Votes;
  /** What the community thinks of codes. */
  readonly ratings: Ratings;
  /** Key-value data with AsyncStorage's semantics. */
  readonly kv: KeyValue;
  /** Values in memory for a while. */
  readonly cache: Cache;
  /** The user's settings. */
  readonly settings: Settings;
  /** Bringing changes to the server, and those of others to this device. */
  readonly sync: Sync;
  /** The files that everything is kept in. */
  readonly storage: Storage;
  /** Circuit breakers for the app's own services. */
  readonly circuits: Circuits;

  readonly #core: native.SafeScan;
  readonly #pump: EventPump;
  readonly #listeners: Listeners;

  private constructor(core: native.SafeScan, options: OpenOptions | undefined) {
    this.#core = core;
    this.#pump = new EventPump(core);
    this.#listeners = new Listeners(this.#pump, options?.onListenerError);
    this.scans = new Scans(core);
    this.votes = new Votes(core);
    this.ratings = new Ratings(core, this.#pump);
    this.kv = new KeyValue(core);
    this.cache = new Cache(core);
    this.settings = new Settings(core);
    this.sync = new Sync(core, this.#pump);
    this.storage = new Storage(core);
    this.circuits = new Circuits(core);
  }

  /**
   * Opens the core in `config.directory`, an absolute path, making what is missing. Cheap: no data is scanned, whatever
   * the size. A directory that is open already in this process gives the same core again, after a reload of the JavaScript
   * side as well; a different configuration is then refused.
   *
   * Fails with `InvalidInput` (the message names the field), `StorageUnavailable` (locked device, read-only folder,
   * another process), or `StorageIncompatible` (a newer version wrote the file).
   */
  static async open(config: SafeScanConfig, options?: OpenOptions): Promise<SafeScan> {
    const core = await ask(() => native.SafeScan.open(input.config("config", config)), options);
    return new SafeScan(core as native.SafeScan, options);
  }

  /**
   * To be called when the app goes to the background: ends the transaction in work, gives up what is under way with the
   * server (nothing is lost by it), folds the log into the database, and closes every file and connection. When it has
   * resolved, no file, lock, socket or timer is held. Calls made meanwhile still work: each opens the files for its own
   * duration, and those that ask the server do without it, but for `sync.runOnce`. Of `suspend` and `resume` the last call
   * counts.
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
   * Ends everything: waits for accepted writes, closes the files, ends the loops over events. May be called again. Every
   * other call then fails with `Stopped`, but for `health`.
   */
  shutdown(options?: CallOptions): Promise<void> {
    return ask(() => this.#core.shutdown(), options);
  }

  /** As `shutdown`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** The state of every part, without waiting. */
  health(): native.SystemHealth {
    return now(() => this.#core.health());
  }

  /** Counts over everything stored. Cheap: they are kept with every write. */
  statistics(options?: CallOptions): Promise<native.Statistics> {
    return ask(() => this.#core.statistics(), options);
  }

  /**
   * Tells `listener` of every event of this type from now on (`"*"`: of every event), until the function returned is
   * called. A listener that throws goes to `onListenerError` of `open`, and harms nobody else.
   *
   * ```ts
   * const off = core.on("ScansAdded", ({ count }) => badge.add(count));
   * ```
   */
  on<Type extends EventType | "*">(type: Type, listener: EventListener<Type>): () => void {
    return this.#listeners.add(type, listener);
  }

  /**
   * Events as they happen, until the loop is left or the core is shut down. Any number of loops may run at once: each gets
   * everything from its beginning on; where nobody listened before, also what happened until then. 1,024 events are kept for
   * a loop that is slow; `Missed` stands in for older ones. A loop that waits keeps Node from exiting, as does a listener.
   *
   * ```ts
   * for await (const event of core.events({ signal })) {
   *   if (event.type === "ScansAdded") refresh(event.latest);
   * }
   * ```
   */
  events(options?: CallOptions): AsyncIterable<CoreEvent> {
    return { [Symbol.asyncIterator]: () => new EventFeed(this.#pump, () => true, options) };
  }

  /**
   * Sends log records of `level` and above to `sink`; `undefined`: nowhere. None holds content, ids or tokens.
   * In Node only on the main thread.
   */
  setLogSink(
    level: native.LogLevel,
    sink: ((level: native.LogLevel, target: string, text: string) => void) | undefined,
  ): void {
    const log = sink && contained(sink);
    now(() => this.#core.setLogSink(oneOf(native.LogLevel)("level", level), log && { log }));
  }
}
