import { ask } from "./calls.js";
import { listOf, text } from "./checks.js";
import type * as native from "./generated/index.js";
import * as input from "./inputs.js";
import type { CallOptions, NewScan, ScanDetails, ScanQuery } from "./types.js";

/** The scan history: `core.scans`. */
export class Scans {
  readonly #core: native.SafeScan;

  /** @internal */
  constructor(core: native.SafeScan) {
    this.#core = core;
  }

  /** Records a scan and returns it with its id. Fails with `InvalidInput` or `StorageFull`; nothing is stored then. */
  record(text: string, details?: ScanDetails & CallOptions): Promise<native.Scan> {
    return ask(() => this.#core.recordScan(input.newScan("scan", { ...details, text })), details);
  }

  /** Records up to 10,000 scans in one transaction: all of them or, on an error, none. Much cheaper than one by one. */
  recordMany(scans: readonly NewScan[], options?: CallOptions): Promise<native.Scan[]> {
    return ask(() => this.#core.recordScans(listOf(input.newScan)("scans", scans)), options);
  }

  /** The scan with this id, if there is one. */
  get(id: native.ScanId, options?: CallOptions): Promise<native.Scan | undefined> {
    return ask(() => this.#core.scan(text("id", id)), options);
  }

  /** A page (1 to 500 scans, by default 50), newest first. As fast at the millionth scan as at the first. */
  history(query: ScanQuery & CallOptions = {}): Promise<native.ScanPage> {
    return ask(() => this.#core.scanHistory(input.scanQuery("query", query)), query);
  }

  /** Deletes a scan; false if there is none with this id. Votes on the code stay. */
  delete(id: native.ScanId, options?: CallOptions): Promise<boolean> {
    return ask(() => this.#core.deleteScan(text("id", id)), options);
  }

  /** Deletes the whole history and returns how many scans it had. Votes stay. */
  clear(options?: CallOptions): Promise<number> {
    return ask(() => this.#core.clearHistory(), options);
  }
}
