import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { fails, newCore, newDirectory, wholeHistory } from "./support/harness.js";

/** An app whose AsyncStorage holds this; the folder of Apple systems needs no SQLite to be written. */
function appWith(t: TestContext, manifest: string): { directory: string; folder: string } {
  const directory = newDirectory(t);
  const folder = join(directory, "Documents", "RCTAsyncLocalStorage_V1");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "manifest.json"), manifest);
  return { directory, folder };
}

test("what AsyncStorage left is taken over, told as it goes, and removed when the app says so", async (t) => {
  const history = JSON.stringify([{ qrData: "https://example.com/menu", timestamp: 1_700_000_000_000 }]);
  const { directory, folder } = appWith(t, JSON.stringify({ theme: "dark", "@safe_scan_history": history }));
  const { core } = await newCore(t);
  const told = new Promise<void>((resolve) => {
    core.on("ImportProgress", ({ done, total }) => {
      if (done === total) resolve();
    });
  });
  const report = await core.storage.importAsyncStorage({ directory });
  assert.deepEqual([report.storages, report.scans, report.keyValues, report.complete], [1, 1, 1, true]);
  assert.equal(await core.kv.get("theme"), "dark");
  assert.deepEqual((await wholeHistory(core)).map((scan) => scan.scannedAt), [1_700_000_000_000]);
  await told;
  assert.deepEqual(await core.storage.importAsyncStorage({ directory }), report, "a second time changes nothing");
  assert.equal(await core.storage.confirmImport(), true);
  assert.equal(existsSync(folder), false);
});

test("a manifest that is half written means later", async (t) => {
  const { directory, folder } = appWith(t, '{"theme": "da');
  const { core } = await newCore(t);
  await fails("StorageUnavailable", "", () => core.storage.importAsyncStorage({ directory }));
  assert.deepEqual(await core.kv.keys(), []);
  await fails("InvalidInput", "", () => core.storage.confirmImport());
  assert.equal(existsSync(folder), true);
  await fails("InvalidInput", "directory", () => core.storage.importAsyncStorage({ directory: undefined as never }));
});
