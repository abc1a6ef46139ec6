import type * as native from "./generated/index.js";

/** A code: its text, as scanned, or its hash where the app kept nothing else (see `hashQrData`, `Rating.hostHash`). */
export type Code =
  | string
  | { readonly type: "Text"; readonly text: string }
  | { readonly type: "Hash"; readonly qrHash: native.QrHash };

/** How a call may be ended early. */
export interface CallOptions {
  /**
   * Ends the waiting: the call fails with the signal's `reason`. What it has begun is done to its end or not at all,
   * never by half.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What may be said when a core is opened, besides its configuration. */
export interface OpenOptions extends CallOptions {
  /**
   * Is told when a listener throws, or returns a promise that rejects. By default `console.error` is, with the event's type
   * alone.
   */
  readonly onListenerError?: ((error: unknown, event: CoreEvent) => void) | undefined;
}

/** Every field may be left out. */
type Optional<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

/** How the core is to work. Only the directory must be given. */
export type SafeScanConfig = Pick<native.SafeScanConfig, "directory"> &
  Optional<Omit<native.SafeScanConfig, "directory" | "identityKey" | "sync">> & {
    /** 32 secret bytes from Keychain or Keystore that make voters anonymous. Without them the core makes a key. */
    readonly identityKey?: Uint8Array | undefined;
    /** Brings changes to a server, and others' to this device. Without it nothing is queued. */
    readonly sync?: SyncConfig | undefined;
  };

/** How changes go to a server, and whom the core takes for it. */
export type SyncConfig = Pick<native.SyncConfig, "baseUrl"> &
  Optional<Omit<native.SyncConfig, "baseUrl" | "trustedRoots">> & {
    /** Certificates, in DER or PEM, that may vouch for the server besides the bundled public authorities. */
    readonly trustedRoots?: readonly Uint8Array[] | undefined;
  };

/** What may be kept with a scan besides the code's text. */
export type ScanDetails = Optional<Omit<native.NewScan, "text">>;

/** A scan to be recorded. */
export type NewScan = Pick<native.NewScan, "text"> & ScanDetails;

/** Who votes and when; the installation itself and now if nothing is said. */
export type VoteDetails = Optional<Pick<native.NewVote, "userId" | "votedAt">>;

/** A vote to be cast. */
export type NewVote = Pick<native.NewVote, "choice"> & VoteDetails & { readonly code: Code };

/** Which scans are wanted, and how many. All conditions given must hold. */
export type ScanQuery = Optional<native.ScanQuery>;

/** Whose votes are wanted, and how many. */
export type VoteQuery = Optional<native.VoteQuery>;

/** Which of several people who share the device. */
export type Voter = Optional<Pick<native.NewVote, "userId">>;

/** Which changes that wait for the server are wanted, and how many. */
export interface OperationQuery {
  /** 1 to 500, 50 by default. */
  readonly limit?: number | undefined;
  /** Where to go on: the last page's `nextCursor`. */
  readonly cursor?: string | undefined;
}

/** How synchronisation stands. */
export interface SyncStatus {
  /** How sending and fetching is. */
  readonly state: native.ServiceState;
  /** Why it is so. */
  readonly cause: native.HealthCause;
  /** How the live link is. */
  readonly realtime: native.ServiceState;
  /** Changes that are not settled with the server yet, those that wait for the app included. */
  readonly pending: number;
  /** How the last exchange went, of those that were asked for here, or that ended while a loop over `statuses` ran. */
  readonly lastReport?: native.SyncReport | undefined;
}

/** Where an app's AsyncStorage lies on the disk, and how its data is taken over. Only the directory must be given. */
export type AsyncStorageSource = Pick<native.AsyncStorageSource, "directory"> &
  Optional<Omit<native.AsyncStorageSource, "directory">>;

/** The settings to change; what is not given stays. */
export type SettingsUpdate = Optional<native.SettingsUpdate>;

/** A generated enum with data, `{ tag: "Accepted", inner: { rating } }`, as `{ type: "Accepted", rating }`. */
type Union<Variant extends { readonly tag: string }> = Variant extends {
  readonly tag: infer Tag extends string;
  readonly inner: infer Fields;
}
  ? { readonly type: `${Tag}` } & Fields
  : { readonly type: `${Variant["tag"]}` };

/** What became of a vote: none of these is an error. Tell them apart by `type`. */
export type VoteOutcome = Union<native.VoteOutcome>;

/** Something that happened. Events come in the order of their commits, and only after them. Tell them apart by `type`. */
export type CoreEvent = Union<native.CoreEvent>;

/** The names of what can happen. */
export type EventType = CoreEvent["type"];

/** The events of one type; those of all types for `"*"`. */
export type EventOf<Type extends EventType | "*"> = Type extends "*"
  ? CoreEvent
  : Extract<CoreEvent, { readonly type: Type }>;

/**
 * Is told of events, one after another, in the order of their commits. What it returns is of no interest, but that a promise
 * must not reject.
 */
export type EventListener<Type extends EventType | "*"> = (event: EventOf<Type>) => unknown;

/** Whether a call may go through. Tell them apart by `type`. */
export type CircuitEntry = Union<native.CircuitEntry>;

/** @internal */
export function union<Variant extends { readonly tag: string }>(variant: Variant): Union<Variant> {
  const { tag, inner } = variant as { tag: string; inner?: object };
  return { type: tag, ...inner } as Union<Variant>;
}
