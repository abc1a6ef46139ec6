import { KeySpace } from "../async-storage/key-space.js";
import { connected } from "../connection.js";
import type { ScanPage } from "../generated/index.js";
import { failed, succeeded, textOf } from "./envelope.js";
import { fromScan, toScan } from "./scan-data.js";
import type { DatabaseResponse, UserScanData } from "./types.js";

/** The scan history and the app's own queue. */
export class LocalStorageService {
  private static instance: LocalStorageService;
  readonly #queue = new KeySpace("@safe_scan_sync_queue");
  #queued = 0;

  private constructor() {}

  static getInstance(): LocalStorageService {
    return (LocalStorageService.instance ??= new LocalStorageService());
  }

  /** Records a scan: `core.scans.record`. */
  async storeScanData(scanData: UserScanData): Promise<DatabaseResponse<UserScanData>> {
    try {
      const { text, ...details } = toScan(scanData);
      await (await connected()).scans.record(text, details);
      return succeeded(scanData);
    } catch (error) {
      return failed(textOf(error));
    }
  }

  /** Every scan, the latest first. For a list on a screen take `core.scans.history`, which reads in pages. */
  async getScanHistory(): Promise<UserScanData[]> {
    const { scans } = await connected();
    const history: UserScanData[] = [];
    let cursor: string | undefined;
    do {
      const page: ScanPage = await scans.history({ limit: 500, cursor });
      history.push(...page.scans.map(fromScan));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return history;
  }

  /** Gives everything back: the core makes room as it stores, row by row, and never takes what waits to be sent. */
  async enforceStorageLimits(data: UserScanData[]): Promise<UserScanData[]> {
    return data;
  }

  /** Checks every row, and takes damaged ones out. False if there were any, or if the storage cannot be read. */
  async validateDataIntegrity(): Promise<boolean> {
    try {
      const { storage } = await connected();
      if ((await storage.checkIntegrity()).intact) return true;
      await storage.repair();
    } catch {}
    return false;
  }

  /** Takes damage out and keeps the rest: `core.storage.repair`. */
  async repairCorruptedData(): Promise<void> {
    await (await connected()).storage.repair();
  }

  /**
   * Keeps an operation of the app's own. What the services themselves store is queued for the server with its record,
   * and needs no call: `core.sync.operations` shows it.
   */
  async queueForSync(operation: any): Promise<void> {
    try {
      const queuedAt = Date.now();
      // Queued in one millisecond, they keep their order.
      const order = `${queuedAt}`.padStart(16, "0") + `${(this.#queued += 1)}`.padStart(10, "0");
      const id = order + Math.random().toString(36).slice(2, 11);
      const { kv } = await connected();
      await kv.set(this.#queue.stored(id), JSON.stringify({ ...operation, queuedAt, id }));
    } catch (error) {
      console.error("Failed to queue operation:", textOf(error));
    }
  }

  /** The operations of `queueForSync`, the oldest first. */
  async getSyncQueue(): Promise<any[]> {
    const { kv } = await connected();
    const keys = (await kv.keys()).filter((key) => this.#queue.own(key) !== undefined);
    const entries = await kv.multiGet(keys);
    return entries.flatMap(({ value }) => (value === undefined ? [] : [JSON.parse(value)]));
  }
}
