import { ask } from "./calls.js";
import { text } from "./checks.js";
import type * as native from "./generated/index.js";
import * as input from "./inputs.js";
import type { AsyncStorageSource, CallOptions } from "./types.js";

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

  /**
   * Takes over what AsyncStorage left on the disk: the stores of hand-written services become scans, votes and settings,
   * every other key goes to `core.kv`, values that Android can no longer read back included. `ImportProgress` tells how far
   * it is.
   *
   * To be called at every start of the app until `confirmImport` has succeeded, before anything uses AsyncStorage. It goes
   * on where an earlier call was interrupted, and takes nothing twice; the originals are not touched. `directory` is
   * `applicationInfo.dataDir` on Android and `NSHomeDirectory()` on Apple systems.
   *
   * Fails with `StorageUnavailable` while an original cannot be read: nothing is taken of that one then, and the next call
   * tries again.
   *
   * ```ts
   * const report = await core.storage.importAsyncStorage({ directory, bundleId });
   * if (report.complete) await core.storage.confirmImport();
   * ```
   */
  importAsyncStorage(source: AsyncStorageSource, options?: CallOptions): Promise<native.ImportReport> {
    return ask(() => this.#core.importAsyncStorage(input.asyncStorageSource("source", source)), options);
  }

  /**
   * Removes the originals that were imported since the core was opened, and only those of which everything was taken.
   * Gives whether none is left. Fails with `InvalidInput`, and removes nothing, if no import has ended before.
   */
  confirmImport(options?: CallOptions): Promise<boolean> {
    return ask(() => this.#core.confirmImport(), options);
  }
}
