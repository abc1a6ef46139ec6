import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";
import { Worker } from "node:worker_threads";

import { newCore, range, wholeHistory } from "./support/harness.js";

test("8 worker threads share one core and keep 1,000 scans, newest first", async (t) => {
  const { core, config } = await newCore(t);
  let added = 0;
  const last = new Promise<void>((resolve) => {
    core.on("ScansAdded", ({ count }) => void (added += count));
    core.on("KeyValueChanged", () => resolve());
  });
  const refusals = await Promise.all(
    range(8).map(async (worker) => {
      const workerData = { directory: config.directory, worker, scans: 125 };
      const thread = new Worker(new URL("./programs/worker.js", import.meta.url), { workerData });
      const [message, [code]] = await Promise.all([once(thread, "message"), once(thread, "exit")]);
      assert.equal(code, 0);
      return message[0] as string;
    }),
  );
  assert.deepEqual(refusals, Array(8).fill("InvalidInput"), "a worker cannot replace the main thread's callbacks");

  const history = await wholeHistory(core, 50);
  assert.equal(history.length, 1_000);
  assert.equal(new Set(history.map((scan) => scan.text)).size, 1_000);
  for (const [index, scan] of history.slice(1).entries()) {
    assert.ok(scan.id < (history[index]?.id ?? ""), "ids are not in strictly descending order");
  }

  // The main thread's listeners have outlived the workers, and have heard of every scan.
  await core.kv.set("last", "1");
  await last;
  assert.equal(added, 1_000);
});
