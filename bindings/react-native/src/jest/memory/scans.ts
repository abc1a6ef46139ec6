import type { Scan, ScanId, ScanPage } from "../../generated/index.js";
import type { Scans } from "../../scans.js";
import type { CallOptions, NewScan, ScanDetails, ScanQuery } from "../../types.js";
import { codeText, given, listOf, metadata, object, oneOf, text, whole } from "./checks.js";
import { hash, kindOf } from "./codes.js";
import { QrKind, Verdict } from "./enums.js";
import { invalid } from "./errors.js";
import { record, type Session } from "./session.js";

const EARLIEST = 1_000_000_000_000;
const DAY_MS = 86_400_000;

export class MemoryScans implements Pick<Scans, keyof Scans> {
  readonly #session: Session;
  #sequence = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  record(text: string, details?: ScanDetails & CallOptions): Promise<Scan> {
    return this.#session.ask(details, () => this.#store([this.#made("scan", { ...details, text })])[0] as Scan);
  }

  recordMany(scans: readonly NewScan[], options?: CallOptions): Promise<Scan[]> {
    return this.#session.ask(options, () =>
      this.#store(listOf("scans", scans, (field, scan) => this.#made(field, object(field, scan)))),
    );
  }

  get(id: ScanId, options?: CallOptions): Promise<Scan | undefined> {
    return this.#session.ask(options, () => this.#scans[this.#placeOf(id)]);
  }

  history(query: ScanQuery & CallOptions = {}): Promise<ScanPage> {
    return this.#session.ask(query, () => {
      const { verdict, kind, from, until, text: needle, cursor } = object("query", query) as ScanQuery;
      const limit = whole("limit", query.limit ?? 50, 1, 500);
      const below = given(cursor, checkedId);
      const found = this.#scans.filter(
        (scan) =>
          (below === undefined || scan.id < below) &&
          (verdict == null || scan.verdict === oneOf("query.verdict", verdict, Verdict)) &&
          (kind == null || scan.kind === oneOf("query.kind", kind, QrKind)) &&
          (from == null || scan.scannedAt >= from) &&
          (until == null || scan.scannedAt < until) &&
          (needle == null || lower(scan.text).includes(lower(text("query.text", needle)))),
      );
      const scans = found.slice(0, limit);
      const nextCursor = found.length > limit ? scans.at(-1)?.id : undefined;
      return record<ScanPage>({ scans, nextCursor, withheld: 0 });
    });
  }

  delete(id: ScanId, options?: CallOptions): Promise<boolean> {
    return this.#session.ask(options, () => {
      const place = this.#placeOf(id);
      if (place < 0) return false;
      this.#scans.splice(place, 1);
      this.#session.events.emit({ type: "ScansRemoved", count: 1 });
      return true;
    });
  }

  clear(options?: CallOptions): Promise<number> {
    return this.#session.ask(options, () => {
      const count = this.#scans.splice(0).length;
      if (count > 0) this.#session.events.emit({ type: "ScansRemoved", count });
      return count;
    });
  }

  get #scans(): Scan[] {
    return this.#session.contents.scans;
  }

  /** -1 if there is no such scan. */
  #placeOf(id: ScanId): number {
    const checked = checkedId(id);
    return this.#scans.findIndex((scan) => scan.id === checked);
  }

  #made(field: string, scan: Readonly<Record<string, unknown>>): Scan {
    const code = codeText(`${field}.text`, scan["text"]);
    const scannedAt = given(scan["scannedAt"], (at) => whole("scanned_at", at, EARLIEST, Date.now() + DAY_MS));
    const at = scannedAt ?? Date.now();
    return record<Scan>({
      id: idOf(at, (this.#sequence += 1)),
      text: code,
      kind: kindOf(code),
      verdict: given(scan["verdict"], (verdict) => oneOf(`${field}.verdict`, verdict, Verdict)) ?? "Unknown",
      scannedAt: at,
      qrHash: hash(code),
      metadata: given(scan["metadata"], (value) => metadata(`${field}.metadata`, value)),
    });
  }

  #store(scans: Scan[]): Scan[] {
    this.#scans.push(...scans);
    this.#scans.sort((one, other) => (one.id < other.id ? 1 : -1));
    const latest = scans.at(-1);
    if (latest) this.#session.events.emit({ type: "ScansAdded", count: scans.length, latest: latest.id });
    return scans;
  }
}

/** Grows with the time and, within a millisecond, with the order. */
function idOf(at: number, sequence: number): ScanId {
  return ((BigInt(at) << 20n) | BigInt(sequence % 0x10_0000)).toString(16).padStart(16, "0");
}

function checkedId(id: unknown): ScanId {
  if (!/^[0-9a-f]{16}$/.test(text("id", id))) throw invalid("scan_id", "is not 16 hexadecimal digits");
  return id as ScanId;
}

const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
