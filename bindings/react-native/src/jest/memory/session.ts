import type { QrHash, Scan, UserSettings, VoteChoice } from "../../generated/index.js";
import type { CallOptions, OpenOptions, SafeScanConfig } from "../../types.js";
import { SafeScanError } from "./errors.js";
import { Events } from "./events.js";

/** A person's standing vote on a code. */
export interface Register {
  readonly choice: VoteChoice;
  readonly votedAt: number;
}

/** What a directory holds; it survives a shutdown, as files would. */
export class Contents {
  /** Newest first. */
  readonly scans: Scan[] = [];
  /** By code, then by person. */
  readonly votes = new Map<QrHash, Map<string, Register>>();
  readonly reputations = new Map<string, number>();
  readonly kv = new Map<string, string>();
  settings: UserSettings = { notifications: true, autoSync: true, scanRetentionDays: 0, voteRetentionDays: 0 };
  readonly lifetime = { Safe: 0, Unsafe: 0 };
}

/** An open core's contents and its life. */
export class Session {
  readonly events: Events;
  /** How many loops watch a code. */
  readonly watched = new Map<QrHash, number>();
  stopped = false;

  constructor(
    readonly contents: Contents,
    readonly config: SafeScanConfig,
    options: OpenOptions | undefined,
  ) {
    this.events = new Events(options?.onListenerError);
  }

  /** A call that waits: done at once, answered later. */
  async ask<T>(options: CallOptions | undefined, work: () => T): Promise<T> {
    options?.signal?.throwIfAborted();
    return this.now(work);
  }

  now<T>(work: () => T): T {
    if (this.stopped) throw new SafeScanError("Stopped", "the core was shut down");
    return work();
  }
}

/** A record as the generated code makes it: a field without a value is there, and undefined. */
export function record<T>(fields: { [Name in keyof Required<T>]: T[Name] | undefined }): T {
  return fields as T;
}
