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

/**
 * How the core is to work. Only the directory must be given.
 * @interface
 */
export type SafeScanConfig = Pick<native.SafeScanConfig, "directory"> &
  Optional<Omit<native.SafeScanConfig, "directory" | "identityKey" | "sync">> & {
    /** 32 secret bytes from Keychain or Keystore that make voters anonymous. Without them the core makes a key. */
    readonly identityKey?: Uint8Array | undefined;
    /** Brings changes to a server, and others' to this device. Without it nothing is queued. */
    readonly sync?: SyncConfig | undefined;
  };

/**
 * How changes go to a server, and whom the core takes for it.
 * @interface
 */
export type SyncConfig = Pick<native.SyncConfig, "baseUrl"> &
  Optional<Omit<native.SyncConfig, "baseUrl" | "trustedRoots">> & {
    /** Certificates, in DER or PEM, that may vouch for the server besides the bundled public authorities. */
    readonly trustedRoots?: readonly Uint8Array[] | undefined;
  };

/** What may be kept with a scan besides the code's text. */
export interface ScanDetails extends Optional<Omit<native.NewScan, "text">> {}

/**
 * A scan to be recorded.
 * @interface
 */
export type NewScan = Pick<native.NewScan, "text"> & ScanDetails;

/** Who votes and when; the installation itself and now if nothing is said. */
export interface VoteDetails extends Optional<Pick<native.NewVote, "userId" | "votedAt">> {}

/**
 * A vote to be cast.
 * @interface
 */
export type NewVote = Pick<native.NewVote, "choice"> & VoteDetails & {
    /** What is voted on. */
    readonly code: Code;
  };

/** Which scans are wanted, and how many. All conditions given must hold. */
export interface ScanQuery extends Optional<native.ScanQuery> {}

/** Whose votes are wanted, and how many. */
export interface VoteQuery extends Optional<native.VoteQuery> {}

/** Which of several people who share the device. */
export interface Voter extends Optional<Pick<native.NewVote, "userId">> {}

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

/**
 * Where an app's AsyncStorage lies on the disk, and how its data is taken over. Only the directory must be given.
 * @interface
 */
export type AsyncStorageSource = Pick<native.AsyncStorageSource, "directory"> &
  Optional<Omit<native.AsyncStorageSource, "directory">>;

/** The settings to change; what is not given stays. */
export interface SettingsUpdate extends Optional<native.SettingsUpdate> {}

/** A generated enum with data, `{ tag: "Accepted", inner: { rating } }`, as `{ type: "Accepted", rating }`. */
type Union<Variant extends { readonly tag: string }> = Variant extends {
  readonly tag: infer Tag extends string;
  readonly inner: infer Fields;
}
  ? { readonly type: `${Tag}` } & Fields
  : { readonly type: `${Variant["tag"]}` };

/**
 * What became of a vote: none of these is an error. Tell them apart by `type`:
 *
 * | `type` | fields | |
 * |---|---|---|
 * | `Accepted` | `rating` | It is the voter's first on this code; the rating counts it already. |
 * | `Updated` | `rating` | It took the place of the voter's earlier vote. |
 * | `Retracted` | `rating` | The voter's vote was taken back. |
 * | `Unchanged` | `rating` | The same or a later vote stood there already, or there was nothing to retract. |
 * | `Throttled` | `rule`, `retryAfterMs` | Too many in too short a time: nothing was stored. Try again after so many milliseconds. |
 * | `NotVotable` | `kind` | Codes of this kind hold private content and are not voted on: nothing was stored. |
 */
export type VoteOutcome = Union<native.VoteOutcome>;

/**
 * Something that happened. Events come in the order of their commits, and only after them. Tell them apart by `type`:
 *
 * | `type` | fields | |
 * |---|---|---|
 * | `ScansAdded` | `count`, `latest` | Scans were added: how many, and the last one's id. |
 * | `ScansRemoved` | `count` | Scans were removed by the app. |
 * | `ScansEvicted` | `count` | Old scans were removed to make room. |
 * | `VoteChanged` | `qrHash` | A vote was cast, changed or retracted on this device. |
 * | `RatingChanged` | `rating` | The rating of a watched code changed. |
 * | `SettingsChanged` | | Read them anew. |
 * | `KeyValueChanged` | `keys` | Data under these keys changed; no keys: all, or more than a hundred. |
 * | `DamageFound` | `store`, `count` | Damaged rows were found, and are withheld until a repair. |
 * | `Repaired` | `report` | A repair ended. |
 * | `HealthChanged` | `health` | A part's state changed. |
 * | `SyncFinished` | `report` | Changes were sent and fetched. |
 * | `OperationSuperseded` | `id`, `kind` | A change gave way to a later one of another device of the account. |
 * | `OperationParked` | `id`, `reason` | A change waits for the app: see `sync.operations`. |
 * | `OperationsChanged` | `pending` | So many changes wait for the server now. |
 * | `TokenWanted` | | The server wants a token, or another one: give it with `sync.setToken`. |
 * | `ImportProgress` | `done`, `total` | An import is under way: bytes of the originals taken, of how many. |
 * | `Erased` | | Everything was erased. |
 * | `Missed` | `count` | The reader was too slow, and so many events before this one were dropped. Read the state anew. |
 */
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

/**
 * Whether a call may go through: `Allowed` with the `permit` to report with, once, or `Refused` with `retryAfterMs`. Tell
 * them apart by `type`.
 */
export type CircuitEntry = Union<native.CircuitEntry>;

/** @internal */
export function union<Variant extends { readonly tag: string }>(variant: Variant): Union<Variant> {
  const { tag, inner } = variant as { tag: string; inner?: object };
  return { type: tag, ...inner } as Union<Variant>;
}
