// The driven phone in TypeScript: commands in, a line each; answers and events out. demo/README.md at the checkout's top
// says which.
import { createInterface } from "node:readline";

import {
  type CoreEvent,
  type NetworkState,
  type Rating,
  SafeScan,
  type SyncReport,
  type VoteChoice,
} from "react-native-safescan";

import { bits, say } from "./output.js";

/** A line of input. */
interface Order {
  readonly id: number;
  readonly do: string;
  readonly text: string;
  readonly texts: readonly string[];
  readonly choice: "safe" | "unsafe";
  readonly user?: string;
  readonly state: "online" | "offline" | "unknown";
}

export interface Options {
  readonly directory: string;
  readonly server: string;
  readonly identity?: string | undefined;
  readonly token?: string | undefined;
}

/** Works until it is told to shut down, or until whoever drives it is gone. */
export async function drive({ directory, server, identity, token }: Options): Promise<void> {
  const core = await SafeScan.open({
    directory,
    identityKey: identity === undefined ? undefined : Uint8Array.from(Buffer.from(identity, "hex")),
    votesPerMinute: 10_000,
    sync: { baseUrl: server, shareScans: true, allowPlainLoopback: true },
  });
  const phone = new DrivenPhone(core, token);
  await phone.begin();
  const events = phone.tellEvents();

  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as Order;
    if (order.do === "shutdown") {
      await core.shutdown();
      await events;
      say({ id: order.id, ok: {} });
      // An input that is open still would keep Node.js waiting for more of it.
      process.stdin.destroy();
      return;
    }
    // Side by side: a long `sync` holds up nobody.
    void phone.obey(order).then(
      (ok) => say({ id: order.id, ok }),
      (error: unknown) => say({ id: order.id, err: error instanceof Error ? error.message : String(error) }),
    );
  }
  await core.shutdown();
}

class DrivenPhone {
  constructor(
    readonly core: SafeScan,
    readonly token: string | undefined,
  ) {}

  async begin(): Promise<void> {
    this.core.setLogSink("Debug", (level, target, text) => say({ event: "Log", level, target, text }));
    await this.#giveToken();
    say({ event: "Ready", waiting: (await this.core.statistics()).pendingOperations });
  }

  async obey(order: Order): Promise<object> {
    const { core } = this;
    const voter = { userId: order.user };
    switch (order.do) {
      case "vote":
        return { outcome: (await core.votes.submit(order.text, pascalCase(order.choice) as VoteChoice, voter)).type };
      case "retract":
        return { outcome: (await core.votes.retract(order.text, voter)).type };
      case "record":
        await core.scans.record(order.text);
        return {};
      case "rating":
        return ratingFields(await core.ratings.get(order.text));
      case "watch":
        // A shutdown amid the first look is no news.
        for (const text of order.texts) void this.#tellRating(text).catch(() => {});
        return {};
      case "sync":
        return reportFields(await core.sync.now());
      case "network":
        core.sync.networkChanged(pascalCase(order.state) as NetworkState);
        return {};
      case "health": {
        const states = core.health().services.map(({ service, state, cause }) => [service, [state, cause]]);
        return { services: Object.fromEntries(states) as object };
      }
      case "pending": {
        const { pendingOperations: waiting } = await core.statistics();
        const { operations } = await core.sync.operations({ limit: 500 });
        const parked = operations.filter(({ state }) => state === "Parked").length;
        return { waiting, parked, attempts: Math.max(0, ...operations.map(({ attempts }) => attempts)) };
      }
      default:
        throw new Error(`there is no command ${order.do}`);
    }
  }

  async tellEvents(): Promise<void> {
    for await (const event of this.core.events()) {
      const fields = this.#told(event);
      if (fields) say({ event: event.type, ...fields });
      if (event.type === "TokenWanted") await this.#giveToken();
    }
  }

  async #tellRating(text: string): Promise<void> {
    for await (const rating of this.core.ratings.watch(text)) {
      say({ event: "RatingChanged", text, ...ratingFields(rating) });
    }
  }

  /** What is told of an event; nothing of those that only this phone's own owner would look at. */
  #told(event: CoreEvent): object | undefined {
    switch (event.type) {
      case "HealthChanged": {
        const { service, state, cause } = event.health;
        return { service, state, cause };
      }
      case "SyncFinished":
        return reportFields(event.report);
      case "OperationSuperseded":
        return { kind: event.kind };
      case "OperationParked":
        return { reason: event.reason };
      case "Missed":
        return { count: event.count };
      case "TokenWanted":
        return {};
      default:
        return undefined;
    }
  }

  async #giveToken(): Promise<void> {
    if (this.token !== undefined) await this.core.sync.setToken(this.token);
  }
}

function ratingFields({ safeVotes, unsafeVotes, confidence, lower, upper, source }: Rating): object {
  const [c, l, u] = [confidence, lower, upper].map(bits);
  return { safe: safeVotes, unsafe: unsafeVotes, confidence: c, lower: l, upper: u, source };
}

function reportFields({ sent, received, waiting }: SyncReport): object {
  return { sent, received, waiting };
}

const pascalCase = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
