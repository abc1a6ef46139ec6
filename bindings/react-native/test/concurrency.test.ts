import assert from "node:assert/strict";
import test from "node:test";

import { newCore, range, wholeHistory } from "./support/harness.js";

test("100 overlapping calls keep 100 scans", async (t) => {
  const { core } = await newCore(t);
  const scans = await Promise.all(range(100).map((number) => core.scans.record(`https://example.com/${number}`)));
  assert.equal(new Set(scans.map((scan) => scan.id)).size, 100);
  assert.equal((await core.statistics()).scans, 100);
  const texts = (await wholeHistory(core)).map((scan) => scan.text);
  assert.deepEqual(texts.sort(), scans.map((scan) => scan.text).sort());
});
