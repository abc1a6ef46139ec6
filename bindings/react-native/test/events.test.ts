import assert from "node:assert/strict";
import test from "node:test";

import { type CoreEvent, SafeScan } from "react-native-safescan";

import { arrival, newCore, range } from "./support/harness.js";

test("a loop gets every event in order, and ends at shutdown", async (t) => {
  const { core } = await newCore(t);
  const seen: CoreEvent[] = [];
  const loop = (async () => {
    for await (const event of core.events()) if (event.type !== "HealthChanged") seen.push(event);
  })();
  const scan = await core.recordScan("https://example.com/");
  const vote = await core.submitVote("https://example.com/", "Safe");
  await core.kvSet("key", "value");
  await core.updateSettings({ notifications: false });
  await core.shutdown();
  await loop;
  assert.equal(vote.type, "Accepted");
  assert.deepEqual(seen, [
    { type: "ScansAdded", count: 1, latest: scan.id },
    { type: "VoteChanged", qrHash: scan.qrHash },
    { type: "KeyValueChanged", keys: ["key"] },
    { type: "SettingsChanged" },
  ]);
});

test("leaving the loop loses no event", async (t) => {
  const { core } = await newCore(t);
  for (const number of range(5)) await core.kvSet(`key ${number}`, "value");
  const seen: string[] = [];
  while (seen.length < 5) {
    for await (const event of core.events()) {
      assert.equal(event.type, "KeyValueChanged");
      seen.push(...event.keys);
      break;
    }
  }
  assert.deepEqual(
    seen,
    range(5).map((number) => `key ${number}`),
  );
});

test("a watched code's rating arrives with the event", async (t) => {
  const { core } = await newCore(t);
  core.watch(["https://example.com/"]);
  await core.submitVote("https://example.com/", "Unsafe");
  for await (const event of core.events()) {
    if (event.type !== "RatingChanged") continue;
    assert.equal(event.rating.unsafeVotes, 1);
    assert.equal(event.rating.ownVote, "Unsafe");
    break;
  }
});

test("a signal ends a waiting loop with its reason", async (t) => {
  const { core } = await newCore(t);
  const reason = new Error("the screen was left");
  const aborter = new AbortController();
  const loop = (async () => {
    for await (const event of core.events({ signal: aborter.signal })) assert.fail(`unexpected ${event.type}`);
  })();
  aborter.abort(reason);
  await assert.rejects(loop, reason);
});

test("a new loop ends one that still waits", async (t) => {
  const { core } = await newCore(t);
  const first = (async () => {
    for await (const event of core.events()) assert.fail(`unexpected ${event.type}`);
  })();
  const second = core.events().next();
  await first;
  await core.kvSet("key", "value");
  assert.deepEqual((await second).value, { type: "KeyValueChanged", keys: ["key"] });
});

test("a listener that throws disturbs neither the core nor itself", async (t) => {
  const { core } = await newCore(t);
  const heard: string[] = [];
  const lastOne = new Promise<void>((resolve) => {
    core.setListener((event) => {
      heard.push(event.type);
      if (event.type === "SettingsChanged") resolve();
      // Whatever can be thrown in JavaScript is: an error, a text, nothing.
      throw [new Error("bad listener"), "bad listener", undefined][heard.length % 3];
    });
  });
  await core.recordScan("https://example.com/");
  await core.kvSet("key", "value");
  await core.submitVote("https://example.com/", "Safe");
  await core.updateSettings({ autoSync: false });
  await arrival(lastOne);
  assert.deepEqual(heard, ["ScansAdded", "KeyValueChanged", "VoteChanged", "SettingsChanged"]);
  assert.equal(await core.kvGet("key"), "value");
});

test("a listener may call the core, and can be taken away", async (t) => {
  const { core } = await newCore(t);
  const rating = new Promise<number | undefined>((resolve) => {
    core.setListener((event) => {
      if (event.type === "VoteChanged") resolve(core.cachedRating({ type: "Hash", qrHash: event.qrHash })?.safeVotes);
    });
  });
  await core.submitVote("https://example.com/", "Safe");
  assert.equal(await arrival(rating), 1);

  core.setListener(() => assert.fail("a listener that was taken away is told of nothing"));
  core.setListener(undefined);
  await core.kvSet("key", "value");
  await core.shutdown();
});

test("the log holds no content, and a sink that throws is survived", async (t) => {
  const { core } = await newCore(t);
  const records: string[] = [];
  const some = new Promise<void>((resolve) => {
    core.setLogSink("Trace", (level, target, text) => {
      records.push(`${level} ${target} ${text}`);
      resolve();
      throw new Error("bad sink");
    });
  });
  await core.recordScan("otpauth://totp/secret?secret=JBSWY3DPEHPK3PXP");
  await assert.rejects(core.recordScan(""));
  await core.suspend();
  await core.resume();
  await arrival(some);
  assert.ok(records.length > 0);
  assert.ok(records.every((record) => !record.includes("JBSWY3DPEHPK3PXP")));
});

test("a waiting loop does not outlive the core's disposal", async (t) => {
  const seen: string[] = [];
  let loop: Promise<void>;
  {
    const { core } = await newCore(t);
    await using disposed: SafeScan = core;
    loop = (async () => {
      for await (const event of disposed.events()) if (event.type !== "HealthChanged") seen.push(event.type);
    })();
    await disposed.kvSet("key", "value");
  }
  await loop;
  assert.deepEqual(seen, ["KeyValueChanged"]);
});

test("a pull that was aborted takes no event with it", async (t) => {
  const { core } = await newCore(t);
  const aborter = new AbortController();
  const pull = core.nextEvents(10, { signal: aborter.signal });
  setImmediate(() => aborter.abort());
  await assert.rejects(pull);
  await core.kvSet("key", "value");
  assert.deepEqual(await core.nextEvents(10), [{ type: "KeyValueChanged", keys: ["key"] }]);
});
