import type { SafeScan } from "./safe-scan.js";

/** An open core, or a function that opens one: called at once, and again by the next call if it failed. */
export type CoreSource = SafeScan | (() => SafeScan | PromiseLike<SafeScan>);

/** What else may be said of a connection. */
export interface ConnectOptions {
  /**
   * The user id of the device's owner, as the app knows it: for the services of `legacy`, whose votes name their user.
   * The owner's are then the votes of `core.votes` without a user id, and one with those that were imported.
   */
  readonly owner?: string | undefined;
}

/** How long a call waits for `connect`: longer than any app takes to start, shorter than anybody waits for a screen. */
const PATIENCE_MS = 10_000;

/** No core was given to `connect` within ten seconds of a call that needs one. */
export class NotConnectedError extends Error {
  override readonly name = "NotConnectedError";

  constructor() {
    super("there is no core to work on: call connect(() => SafeScan.open({ directory })) when the app starts");
  }
}

interface Connection {
  readonly source: CoreSource;
  readonly owner: string | undefined;
  opening?: Promise<SafeScan> | undefined;
  present?: SafeScan | undefined;
}

let connection: Connection | undefined;
const waiting = new Set<() => void>();

/**
 * Gives the modules that replace others (`async-storage`, `legacy`) the core they work on. Once, anywhere in the app's
 * start: calls that were made before wait for it, ten seconds at the most. Another call replaces the core, for another
 * account or in tests; `undefined` takes it away. Closing it stays the app's business.
 *
 * ```ts
 * connect(() => SafeScan.open({ directory }));
 * ```
 */
export function connect(source: CoreSource | undefined, options?: ConnectOptions): void {
  connection = source && { source, owner: options?.owner };
  if (!connection) return;
  if (typeof source === "function") opened(connection).catch(() => undefined);
  else connection.present = source;
  for (const proceed of waiting) proceed();
}

/** The connected core, as soon as there is one. */
export async function connected(): Promise<SafeScan> {
  return opened(connection ?? (await arrival()));
}

/** The connected core, if it is open already: for calls that cannot wait. */
export function present(): SafeScan | undefined {
  return connection?.present;
}

/** The user id of the device's owner, if it was said. */
export function owner(): string | undefined {
  return connection?.owner;
}

async function opened(connection: Connection): Promise<SafeScan> {
  const { source } = connection;
  if (typeof source !== "function") return source;
  const opening = (connection.opening ??= open(source));
  try {
    return (connection.present = await opening);
  } catch (error) {
    if (connection.opening === opening) connection.opening = undefined;
    throw error;
  }
}

/** Whatever the function does, it is a promise that fails. */
async function open(source: () => SafeScan | PromiseLike<SafeScan>): Promise<SafeScan> {
  return source();
}

function arrival(): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const proceed = () => {
      if (!connection) return;
      clearTimeout(timer);
      waiting.delete(proceed);
      resolve(connection);
    };
    const timer = setTimeout(() => {
      waiting.delete(proceed);
      reject(new NotConnectedError());
    }, PATIENCE_MS);
    waiting.add(proceed);
  });
}
