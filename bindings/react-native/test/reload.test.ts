import assert from "node:assert/strict";

import { type CoreEvent, SafeScan } from "react-native-safescan";

import { afterwards, collected, range } from "./support/harness.js";
import { lives } from "./support/lives.js";

lives(
  import.meta.url,
  "a reload finds the same core, with every call of the life before done",
  async (directory) => {
    const core = await SafeScan.open({ directory });
    await core.scans.recordMany(range(10).map((number) => ({ text: `before ${number}` })));
    core.cache.set("key", "of the process, not of the JavaScript side");
    for (const number of range(50)) void core.scans.record(`under way ${number}`);
  },
  async (t, directory) => {
    const core = await SafeScan.open({ directory });
    afterwards(t, () => core.shutdown());
    assert.equal(core.cache.get("key"), "of the process, not of the JavaScript side");
    // Calls are done in their order.
    await core.scans.record("after");
    assert.equal((await core.statistics()).scans, 61);
    assert.equal((await core.storage.checkIntegrity()).intact, true);
  },
);

lives(
  import.meta.url,
  "what waited in the life before the reload disturbs nobody in the life after it",
  async (directory) => {
    const core = await SafeScan.open({ directory });
    for (const _ of range(20)) void collected(core.events());
    void collected(core.ratings.watch("https://example.com/"));
    core.on("*", () => {});
    await core.kv.set("key", "value");
  },
  async (t, directory) => {
    const core = await SafeScan.open({ directory });
    afterwards(t, () => core.shutdown());
    const loop = collected(core.events());
    await Promise.all(range(100).map((number) => core.kv.set(`key ${number}`, "value")));
    await core.votes.submit("https://example.com/", "Safe");
    await loop.until((event) => event.type === "VoteChanged");
    const keys = (event: CoreEvent): string[] => (event.type === "KeyValueChanged" ? event.keys : []);
    assert.deepEqual(loop.seen.flatMap(keys).sort(), range(100).map((number) => `key ${number}`).sort());
    await core.shutdown();
    await loop.all;
  },
);
