import assert from "node:assert/strict";
import { memoryUsage } from "node:process";
import test from "node:test";

import { fails, newCore, range } from "./support/harness.js";

const MIB = 2 ** 20;

test("what crossed to the core and back is let go of", async (t) => {
  const { core } = await newCore(t);
  const value = "v".repeat(MIB);
  const crossing = async (): Promise<void> => {
    core.cache.set("key", value);
    assert.equal(core.cache.get("key")?.length, value.length);
    await fails("InvalidInput", "text is empty", () => core.scans.record(""));
  };
  for (const _ of range(10)) await crossing();
  const before = memoryUsage.rss();
  for (const _ of range(50)) await crossing();
  const grown = memoryUsage.rss() - before;
  // 50 MiB have gone each way. An engine takes its time to collect, but not for this much.
  assert.ok(grown < 35 * MIB, `the process has grown by ${Math.round(grown / MIB)} MiB`);
});
