import { useMemo } from "react";

import type { SafeScanError } from "../errors.js";
import type { Scan } from "../generated/index.js";
import type { SafeScan } from "../safe-scan.js";
import type { EventType, ScanQuery } from "../types.js";
import { useSafeScan } from "./provider.js";
import { Store, useStore } from "./store.js";

/** Which scans are wanted; `limit` is how many are there at first, and how many `loadMore` adds (50 by default). */
export type HistoryQuery = Omit<ScanQuery, "cursor">;

/** What `useScanHistory` gives. */
export interface ScanHistory {
  /** The scans loaded so far, newest first. A scan is the same object for as long as it is the same scan. */
  readonly scans: readonly Scan[];
  /** Whether there are more. */
  readonly hasMore: boolean;
  /** Whether scans are awaited that were asked for: at first, by `loadMore`, by `refresh`. */
  readonly isLoading: boolean;
  /** What the last reading failed with. The scans loaded before stay. */
  readonly error: SafeScanError | undefined;
  /** Loads another page, if there is one. Never rejects: `error` says what went wrong. */
  loadMore(): Promise<void>;
  /** Reads everything loaded so far again. It does so by itself when scans come or go. */
  refresh(): Promise<void>;
}

/**
 * The scan history in pages, newest first, kept up to date while the component is mounted.
 *
 * ```tsx
 * const { scans, loadMore } = useScanHistory({ verdict: "Unsafe" });
 * <FlatList data={scans} keyExtractor={(scan) => scan.id} onEndReached={loadMore} renderItem={…} />
 * ```
 */
export function useScanHistory(query: HistoryQuery = {}): ScanHistory {
  const core = useSafeScan();
  const conditions = JSON.stringify(query);
  return useStore(useMemo(() => new HistoryStore(core, query), [core, conditions]));
}

const PAGE = 50;
const LARGEST_PAGE = 500;
const CHANGES: ReadonlySet<EventType> = new Set([
  "ScansAdded",
  "ScansRemoved",
  "ScansEvicted",
  "Repaired",
  "Erased",
  "Missed",
]);

class HistoryStore extends Store<ScanHistory> {
  readonly #core: SafeScan;
  readonly #query: HistoryQuery;
  readonly #pageSize: number;
  /** How many scans are to be shown, if there are so many. */
  #wanted: number;
  #cursor: string | undefined;
  #isOutdated = true;
  #signal: AbortSignal | undefined;
  #reading: Promise<void> | undefined;

  constructor(core: SafeScan, query: HistoryQuery) {
    super({
      scans: [],
      hasMore: false,
      isLoading: true,
      error: undefined,
      loadMore: () => this.#loadMore(),
      refresh: () => this.#refresh(),
    });
    this.#core = core;
    this.#query = query;
    this.#pageSize = query.limit ?? PAGE;
    this.#wanted = this.#pageSize;
  }

  protected override begin(signal: AbortSignal): void {
    this.#signal = signal;
    this.#reading = undefined;
    this.#isOutdated = true;
    const off = this.#core.on("*", ({ type }) => {
      if (!CHANGES.has(type)) return;
      this.#isOutdated = true;
      void this.#read();
    });
    signal.addEventListener("abort", off, { once: true });
    void this.#read();
  }

  async #loadMore(): Promise<void> {
    // A list that scrolls on asks again and again.
    if (this.snapshot().isLoading || this.#cursor === undefined) return;
    this.#wanted = this.snapshot().scans.length + this.#pageSize;
    this.update({ isLoading: true });
    await this.#read();
  }

  async #refresh(): Promise<void> {
    this.#isOutdated = true;
    this.update({ isLoading: true });
    await this.#read();
  }

  /** One reading at a time, which goes on until all is read that was wanted meanwhile. */
  #read(): Promise<void> {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return Promise.resolve();
    this.#reading ??= this.#readAll(signal);
    return this.#reading;
  }

  async #readAll(signal: AbortSignal): Promise<void> {
    for (let isDone = false; !isDone; ) {
      try {
        const isAnew = this.#isOutdated;
        this.#isOutdated = false;
        const [read, cursor] = await this.#readOn(
          isAnew ? [] : this.snapshot().scans,
          isAnew ? undefined : this.#cursor,
          signal,
        );
        if (signal.aborted) return;
        const scans = merged(read, this.snapshot().scans);
        this.#cursor = cursor;
        isDone = !this.#isOutdated && (cursor === undefined || scans.length >= this.#wanted);
        // Before it shows: whoever sees it may want more at once.
        if (isDone) this.#reading = undefined;
        const isLoading = !isDone && this.snapshot().isLoading;
        this.update({ scans, hasMore: cursor !== undefined, isLoading, error: undefined });
      } catch (error) {
        if (signal.aborted) return;
        isDone = true;
        this.#isOutdated = true;
        this.#reading = undefined;
        this.update({ isLoading: false, error: error as SafeScanError });
      }
    }
  }

  /** Reads behind these scans until there are as many as are wanted; and where to go on then. */
  async #readOn(
    before: readonly Scan[],
    from: string | undefined,
    signal: AbortSignal,
  ): Promise<[scans: readonly Scan[], cursor: string | undefined]> {
    const scans = [...before];
    let cursor = from;
    do {
      const limit = Math.min(this.#wanted - scans.length, LARGEST_PAGE);
      const page = await this.#core.scans.history({ ...this.#query, limit, cursor, signal });
      scans.push(...page.scans);
      cursor = page.nextCursor;
    } while (cursor !== undefined && scans.length < this.#wanted);
    return [scans, cursor];
  }
}

/** The scans, but objects that were there before where they are still right, and the whole list if it is. */
function merged(scans: readonly Scan[], before: readonly Scan[]): readonly Scan[] {
  const known = new Map(before.map((scan) => [scan.id, scan]));
  const result = scans.map((scan) => {
    const old = known.get(scan.id);
    return old && isSame(old, scan) ? old : scan;
  });
  return result.length === before.length && result.every((scan, index) => scan === before[index]) ? before : result;
}

function isSame(one: Scan, other: Scan): boolean {
  return (Object.keys(one) as (keyof Scan)[]).every((field) => one[field] === other[field]);
}
