import type { MemoryPressure, ServiceHealth, Statistics, SystemHealth } from "../../generated/index.js";
import type { SafeScan } from "../../safe-scan.js";
import type { CallOptions, CoreEvent, EventListener, EventType, OpenOptions, SafeScanConfig } from "../../types.js";
import { MemoryCache } from "./cache.js";
import { object, oneOf, text } from "./checks.js";
import { MemoryCircuits } from "./circuits.js";
import { MemoryPressure as Levels, Service } from "./enums.js";
import { absent, invalid } from "./errors.js";
import { MemoryKeyValue } from "./key-value.js";
import { MemoryRatings } from "./ratings.js";
import { MemoryScans } from "./scans.js";
import { Contents, Session } from "./session.js";
import { MemorySettings } from "./settings.js";
import { MemorySync } from "./sync.js";
import { MemoryVotes } from "./votes.js";

/** The public side of a class. */
type Public<T> = {
  [Name in keyof T]: T[Name] extends (...args: never[]) => unknown ? T[Name] : Pick<T[Name], keyof T[Name]>;
};

const directories = new Map<string, Contents>();
const open = new Map<string, Session>();

/**
 * A core in memory, for tests without the native library: scans, votes, ratings, key-value data, cache, settings,
 * circuit breakers and events behave as the core's do. What a directory held is there again until the process ends. It
 * has no quota, no ratings of hosts, no files (`storage` fails with `Internal`) and no network.
 */
export class MemorySafeScan implements Public<SafeScan> {
  readonly scans: MemoryScans;
  readonly votes: MemoryVotes;
  readonly ratings: MemoryRatings;
  readonly kv: MemoryKeyValue;
  readonly cache: MemoryCache;
  readonly settings: MemorySettings;
  readonly sync: MemorySync;
  readonly circuits: MemoryCircuits;
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
    this.scans = new MemoryScans(session);
    this.votes = new MemoryVotes(session);
    this.ratings = new MemoryRatings(session);
    this.kv = new MemoryKeyValue(session);
    this.cache = new MemoryCache(session);
    this.settings = new MemorySettings(session);
    this.sync = new MemorySync(session);
    this.circuits = new MemoryCircuits(session);
  }

  static async open(config: SafeScanConfig, options?: OpenOptions): Promise<MemorySafeScan> {
    options?.signal?.throwIfAborted();
    const directory = text("config.directory", object("config", config)["directory"]);
    if (!/^(\/|[A-Za-z]:)/.test(directory)) throw invalid("directory", "is not an absolute path");
    const contents = directories.get(directory) ?? new Contents();
    directories.set(directory, contents);
    const session = open.get(directory) ?? new Session(contents, config, options);
    open.set(directory, session);
    return new MemorySafeScan(session);
  }

  get storage(): never {
    throw absent("files");
  }

  async suspend(options?: CallOptions): Promise<void> {
    await this.#session.ask(options, () => undefined);
  }

  async resume(options?: CallOptions): Promise<void> {
    await this.#session.ask(options, () => undefined);
  }

  memoryPressure(level: MemoryPressure): void {
    this.#session.now(() => oneOf("level", level, Levels));
  }

  async shutdown(): Promise<void> {
    if (this.#session.stopped) return;
    this.#session.stopped = true;
    open.delete(this.#session.config.directory);
    const health = this.health().services.find(({ service }) => service === Service.LocalStorage) as ServiceHealth;
    this.#session.events.emit({ type: "HealthChanged", health });
    this.#session.events.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  health(): SystemHealth {
    const { stopped, config } = this.#session;
    const services = Object.values(Service).map((service): ServiceHealth => {
      const since = Date.now();
      if (stopped && service === "LocalStorage") return { service, state: "Unavailable", cause: "Stopped", since };
      if (service !== "CloudSync" && service !== "Realtime") return { service, state: "Healthy", cause: "None", since };
      if (config.sync) return { service, state: "Unavailable", cause: "NotSupported", since };
      return { service, state: "Disabled", cause: "NotConfigured", since };
    });
    return { services, identityKey: config.identityKey ? "Host" : "Database" };
  }

  statistics(options?: CallOptions): Promise<Statistics> {
    return this.#session.ask(options, () => {
      const { scans, votes, kv, lifetime } = this.#session.contents;
      const standing = [...votes.values()].map((registers) => registers.size);
      return {
        scans: scans.length,
        votes: standing.reduce((sum, size) => sum + size, 0),
        ratedCodes: standing.filter((size) => size > 0).length,
        lifetimeSafeVotes: lifetime.Safe,
        lifetimeUnsafeVotes: lifetime.Unsafe,
        kvEntries: kv.size,
        pendingOperations: 0,
        cache: this.cache.statistics(),
      };
    });
  }

  on<Type extends EventType | "*">(type: Type, listener: EventListener<Type>): () => void {
    return this.#session.now(() => this.#session.events.on(type, listener));
  }

  events(options?: CallOptions): AsyncIterable<CoreEvent> {
    return this.#session.events.loop(options);
  }

  setLogSink(): void {}
}
