import { ask } from "./calls.js";
import { text } from "./checks.js";
import type * as native from "./generated/index.js";
import type { CallOptions } from "./types.js";

/** The files that everything is kept in: `core.storage`. */
export class Storage {
  readonly #core: native.SafeScan;

  /** @internal */
  constructor(core: native.SafeScan) {
    this.#core = core;
  }

  /** How much room is taken, in bytes. Cheap: nothing is counted on the way. */
  usage(options?: CallOptions): Promise<native.StorageUsage> {
    return ask(() => this.#core.storageUsage(), options);
  }

  /** Reads and checks every row: a second per several hundred thousand. Other calls go on meanwhile. */
  checkIntegrity(options?: CallOptions): Promise<native.IntegrityReport> {
    return ask(() => this.#core.checkIntegrity(), options);
  }

  /**
   * Takes damaged rows out, and rebuilds the database from every readable row where its structure is broken. The broken
   * files are put aside, not deleted. Other calls wait meanwhile.
   */
  repair(options?: CallOptions): Promise<native.RepairReport> {
    return ask(() => this.#core.repair(), options);
  }

  /** Removes what the settings no longer keep, and makes room if the quota is near. */
  cleanUp(options?: CallOptions): Promise<native.CleanUpReport> {
    return ask(() => this.#core.cleanUp(), options);
  }

  /** Writes everything as JSON Lines to a new file at this absolute path. An existing file is refused. */
  exportTo(path: string, options?: CallOptions): Promise<native.ExportReport> {
    return ask(() => this.#core.exportData(text("path", path)), options);
  }

  /** Erases all data, quarantined files included. The installation gets a new identity. */
  eraseAll(options?: CallOptions): Promise<void> {
    return ask(() => this.#core.eraseAllData(), options);
  }
}
