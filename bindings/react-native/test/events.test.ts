import assert from "node:assert/strict";
import test from "node:test";

import { type CoreEvent, SafeScan } from "react-native-safescan";

import { afterwards, arrival, collected, first, newCore, range } from "./support/harness.js";

test("a loop gets every event in order, and ends at shutdown", async (t) => {
  const { core } = await newCore(t);
  const seen: CoreEvent[] = [];
  const loop = (async () => {
    for await (const event of core.events()) if (event.type !== "HealthChanged") seen.push(event);
  })();
  const scan = await core.scans.record("https://example.com/");
  const vote = await core.votes.submit("https://example.com/", "Safe");
  await core.kv.set("key", "value");
  await core.settings.update({ notifications: false });
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

test("loops at once each get everything from their own beginning on", async (t) => {
  const { core } = await newCore(t);
  const early = collected(core.events());
  await core.kv.set("one", "");
  // The early loop has it, so the late one begins after it.
  await early.until((event) => isKey(event, "one"));
  const late = collected(core.events());
  await core.kv.set("two", "");
  await core.shutdown();
  assert.deepEqual(keysOf(await early.all), ["one", "two"]);
  assert.deepEqual(keysOf(await late.all), ["two"]);
});

test("where nobody listened before, a loop begins with what nobody has heard of yet", async (t) => {
  const { core } = await newCore(t);
  await core.kv.set("one", "");
  assert.ok(isKey(await first(core.events()), "one"));
  await core.kv.set("two", "");
  assert.ok(isKey(await first(core.events()), "two"));
});

test("a loop that is left takes nothing from the others", async (t) => {
  const { core } = await newCore(t);
  const whole = collected(core.events());
  const left = first(core.events());
  await core.kv.set("one", "");
  assert.ok(isKey(await left, "one"));
  await core.kv.set("two", "");
  await core.shutdown();
  assert.deepEqual(keysOf(await whole.all), ["one", "two"]);
});

test("a slow loop learns how much it missed, and holds up nobody", async (t) => {
  const { core } = await newCore(t);
  const slow = core.events()[Symbol.asyncIterator]();
  const quick = collected(core.events());
  for (const batch of range(11)) {
    await Promise.all(range(100).map((number) => core.kv.set(`${batch}/${number}`, "")));
    // In portions that the core need not drop anything of either.
    await quick.until((_, seen) => seen.length === (batch + 1) * 100);
  }
  assert.deepEqual(await slow.next(), { done: false, value: { type: "Missed", count: 1_100 - 1_024 } });
  const next = (await slow.next()).value as CoreEvent;
  assert.deepEqual(next, quick.seen[1_100 - 1_024]);
  await core.shutdown();
  let kept = 1;
  for (let result = await slow.next(); !result.done; result = await slow.next())
    kept += Number(result.value.type === "KeyValueChanged");
  assert.equal(kept, 1_024);
});

test("an aborted loop fails with the reason, and the others go on", async (t) => {
  const { core } = await newCore(t);
  const reason = new Error("the screen was left");
  const aborter = new AbortController();
  const whole = collected(core.events());
  const aborted = collected(core.events({ signal: aborter.signal }));
  await core.kv.set("one", "");
  await aborted.until((event) => isKey(event, "one"));
  aborter.abort(reason);
  await assert.rejects(aborted.all, reason);
  await assert.rejects(first(core.events({ signal: aborter.signal })), reason, "aborted beforehand");
  await core.kv.set("two", "");
  await core.shutdown();
  assert.deepEqual(keysOf(await whole.all), ["one", "two"]);
});

test("what an aborted loop had not read is not read any more", async (t) => {
  const { core } = await newCore(t);
  const aborter = new AbortController();
  const loop = core.events({ signal: aborter.signal })[Symbol.asyncIterator]();
  const other = first(core.events());
  await core.kv.set("key", "");
  await other;
  aborter.abort();
  await assert.rejects(loop.next(), { name: "AbortError" });
  assert.deepEqual(await loop.next(), { done: true, value: undefined });
});

test("shutdown ends every loop that waits, and a waiting call of one that is left", async (t) => {
  const { core } = await newCore(t);
  const loop = core.events()[Symbol.asyncIterator]();
  const waiting = loop.next();
  await loop.return?.();
  assert.deepEqual(await waiting, { done: true, value: undefined });

  const loops = [
    collected(core.events()),
    collected(core.ratings.watch("https://example.com/")),
    collected(core.sync.statuses()),
  ];
  await loops[1]?.until(() => true);
  await loops[2]?.until(() => true);
  await core.shutdown();
  for (const { all } of loops) await all;
});

test("after a shutdown a loop gets what nobody has heard of, and ends", async (t) => {
  const { core } = await newCore(t);
  await core.kv.set("key", "");
  await core.shutdown();
  assert.deepEqual(keysOf(await collected(core.events()).all), ["key"]);
  assert.deepEqual(await collected(core.events()).all, []);
  const stopped = { name: "SafeScanError", type: "Stopped" };
  await assert.rejects(first(core.ratings.watch("https://example.com/")), stopped);
  await assert.rejects(first(core.sync.statuses()), stopped);
});

test("a waiting loop does not outlive the core's disposal", async (t) => {
  let loop: Promise<CoreEvent[]>;
  {
    const { core } = await newCore(t);
    await using disposed: SafeScan = core;
    loop = collected(disposed.events()).all;
    await disposed.kv.set("key", "value");
  }
  assert.deepEqual(keysOf(await loop), ["key"]);
});

test("a listener is told of its own type, may call the core, and can be taken away", async (t) => {
  const { core } = await newCore(t);
  const votes: (number | undefined)[] = [];
  const off = core.on("VoteChanged", ({ qrHash }) => {
    votes.push(core.ratings.cached({ type: "Hash", qrHash })?.safeVotes);
  });
  const everything: string[] = [];
  core.on("*", ({ type }) => {
    everything.push(type);
  });
  const loop = collected(core.events());
  await core.votes.submit("https://example.com/", "Safe");
  await core.kv.set("one", "");
  await loop.until((event) => isKey(event, "one"));
  off();
  off();
  await core.votes.submit("https://example.org/", "Safe");
  await core.kv.set("two", "");
  await loop.until((event) => isKey(event, "two"));
  assert.deepEqual(votes, [1]);
  assert.deepEqual(everything, ["VoteChanged", "KeyValueChanged", "VoteChanged", "KeyValueChanged"]);
});

test("listeners that come and go while an event is told hear of it as if they had done so before or after", async (t) => {
  const { core } = await newCore(t);
  const heard: string[] = [];
  const loop = collected(core.events());
  core.on("KeyValueChanged", () => {
    heard.push("first");
    second();
    if (heard.length === 1) core.on("KeyValueChanged", () => void heard.push("third"));
  });
  const second = core.on("KeyValueChanged", () => void heard.push("second"));
  await core.kv.set("one", "");
  await loop.until((event) => isKey(event, "one"));
  assert.deepEqual(heard, ["first"]);
  await core.kv.set("two", "");
  await loop.until((event) => isKey(event, "two"));
  assert.deepEqual(heard, ["first", "first", "third"]);
});

test("a listener that throws is told of to the app, and harms nobody else", async (t) => {
  const told: [unknown, string][] = [];
  const onListenerError = (error: unknown, { type }: CoreEvent): void => {
    told.push([error, type]);
  };
  const { core } = await newCore(t, {}, { onListenerError });
  const heard: string[] = [];
  // Whatever can be thrown in JavaScript is: an error, a text, nothing; and a promise that rejects.
  const failures = [new Error("bad listener"), "bad listener", undefined];
  core.on("*", ({ type }) => {
    heard.push(type);
    throw failures[heard.length - 1];
  });
  core.on("SettingsChanged", async () => {
    throw failures[0];
  });
  const loop = collected(core.events());
  await core.scans.record("https://example.com/");
  await core.kv.set("key", "value");
  await core.settings.update({ autoSync: false });
  await loop.until((event) => event.type === "SettingsChanged");
  assert.deepEqual(heard, ["ScansAdded", "KeyValueChanged", "SettingsChanged"]);
  await Promise.resolve();
  assert.deepEqual(told, [
    [failures[0], "ScansAdded"],
    [failures[1], "KeyValueChanged"],
    [failures[2], "SettingsChanged"],
    [failures[0], "SettingsChanged"],
  ]);
});

test("if nobody wants to know what a listener threw, the console has the event's type and no more", async (t) => {
  const lines: unknown[][] = [];
  const { error } = console;
  afterwards(t, () => (console.error = error));
  console.error = (...line) => lines.push(line);
  for (const options of [undefined, { onListenerError: () => assert.fail("worse") }]) {
    const { core } = await newCore(t, {}, options);
    core.on("KeyValueChanged", () => {
      throw new Error("my secret");
    });
    const event = first(core.events());
    await core.kv.set("my secret", "my secret");
    await event;
  }
  assert.deepEqual(lines, Array(2).fill(["SafeScan: a listener of KeyValueChanged failed"]));
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
  await core.scans.record("otpauth://totp/secret?secret=JBSWY3DPEHPK3PXP");
  await assert.rejects(core.scans.record(""));
  await core.suspend();
  await core.resume();
  await arrival(some);
  assert.ok(records.length > 0);
  assert.ok(records.every((record) => !record.includes("JBSWY3DPEHPK3PXP")));
});

function isKey(event: CoreEvent | undefined, key: string): boolean {
  return event?.type === "KeyValueChanged" && event.keys.includes(key);
}

function keysOf(events: readonly CoreEvent[]): string[] {
  return events.flatMap((event) => (event.type === "KeyValueChanged" ? event.keys : []));
}
