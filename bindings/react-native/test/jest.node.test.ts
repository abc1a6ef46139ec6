// What `react-native-safescan/jest` gives: the same behaviours on the real core and on the stand-in in memory.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import {
  isRealCore,
  openTemporary,
  type OpenOptions,
  type SafeScan,
  type SafeScanConfig,
} from "react-native-safescan/jest";
import * as real from "react-native-safescan";

import { standIn } from "../src/jest/memory/index.js";
import { afterwards, newDirectory, range } from "./support/harness.js";

const HIGH = "\ud83d";
const LINK = "https://example.com/menu";
const wrong = (value: unknown): any => value;

type Package = typeof real;
type Open = (config?: Partial<SafeScanConfig>, options?: OpenOptions) => Promise<SafeScan>;
type Behaviour = (open: Open, the: Package) => Promise<void>;

const behaviours: Record<string, Behaviour> = {
  "scans are recorded, paged and filtered": async (open) => {
    const core = await open();
    const now = Date.now();
    const scans = await core.scans.recordMany([
      { text: `${LINK}?1`, verdict: "Safe", scannedAt: now - 2 },
      { text: "WIFI:T:WPA;S:x;P:y;;", scannedAt: now - 1 },
      { text: "plain", metadata: "{}", scannedAt: now },
    ]);
    assert.deepEqual(
      scans.map(({ kind }) => kind),
      ["WebLink", "Wifi", "Text"],
    );
    assert.deepEqual(await core.scans.get(scans[1]?.id ?? ""), scans[1]);
    const page = await core.scans.history({ limit: 2 });
    assert.deepEqual(page.scans, [scans[2], scans[1]]);
    const rest = await core.scans.history({ limit: 2, cursor: page.nextCursor });
    assert.deepEqual([rest.scans, rest.nextCursor], [[scans[0]], undefined]);
    assert.deepEqual((await core.scans.history({ verdict: "Safe" })).scans, [scans[0]]);
    assert.deepEqual((await core.scans.history({ text: "PLAIN" })).scans, [scans[2]]);
    assert.deepEqual((await core.scans.history({ from: now - 1, until: now })).scans, [scans[1]]);
    assert.equal(await core.scans.delete(scans[0]?.id ?? ""), true);
    assert.equal(await core.scans.delete(scans[0]?.id ?? ""), false);
    assert.equal(await core.scans.clear(), 2);
  },
  "votes are cast, changed, retracted and listed": async (open) => {
    const core = await open();
    assert.equal((await core.votes.submit(LINK, "Safe")).type, "Accepted");
    assert.equal((await core.votes.submit(LINK, "Unsafe")).type, "Updated");
    assert.equal((await core.votes.submit(LINK, "Safe", { votedAt: Date.now() - 60_000 })).type, "Unchanged");
    assert.equal((await core.votes.mine(LINK))?.choice, "Unsafe");
    assert.equal((await core.votes.submit("WIFI:T:WPA;S:x;P:y;;", "Safe")).type, "NotVotable");
    await core.votes.submitMany(range(3).map((number) => ({ code: `${LINK}?${number}`, choice: "Safe", userId: "u" })));
    assert.equal((await core.votes.list({ userId: "u", limit: 2 })).votes.length, 2);
    assert.equal((await core.votes.retract(LINK)).type, "Retracted");
    assert.equal((await core.votes.retract(LINK)).type, "Unchanged");
    assert.equal(await core.votes.mine(LINK), undefined);
    const { votes, lifetimeSafeVotes, lifetimeUnsafeVotes } = await core.statistics();
    assert.deepEqual([votes, lifetimeSafeVotes, lifetimeUnsafeVotes], [3, 4, 1]);
  },
  "ratings follow the votes, and are named by the canonical code": async (open, { hashQrData }) => {
    const core = await open({ votesPerMinute: 100 });
    assert.equal((await core.ratings.get(LINK)).source, "Neutral");
    assert.equal(core.ratings.cached(LINK), undefined);
    await core.votes.submit("HTTPS://EXAMPLE.com:443/menu#top", "Safe");
    await core.votes.submit(LINK, "Unsafe", { userId: "other" });
    await core.votes.submit(LINK, "Unsafe", { userId: "third", votedAt: Date.now() - 15 * 86_400_000 });
    await core.votes.setReputation(2, { userId: "other" });
    const rating = await core.ratings.get({ type: "Hash", qrHash: hashQrData(LINK) });
    assert.deepEqual(
      [rating.safeVotes, rating.unsafeVotes, rating.totalVotes, rating.assessment, rating.source, rating.ownVote],
      [1, 2, 3, "Insufficient", "Live", "Safe"],
    );
    assert.ok(Math.abs(rating.confidence - 1 / 3.5) < 1e-6, `${rating.confidence}`);
    assert.ok(Math.abs(rating.lower - 0.0494) < 0.01 && Math.abs(rating.upper - 0.75) < 0.02);
    assert.deepEqual(
      (await core.ratings.getMany([LINK, `${LINK}?`])).map((found) => found.totalVotes),
      [3, 0],
    );
  },
  "voting too fast is throttled": async (open) => {
    const core = await open({ votesPerMinute: 6 });
    for (const _ of range(5)) await core.votes.submit(LINK, "Safe");
    const repeated = await core.votes.submit(LINK, "Safe");
    assert.ok(repeated.type === "Throttled" && repeated.rule === "RepeatedCode" && repeated.retryAfterMs > 0);
    await core.votes.submit(`${LINK}?2`, "Safe");
    const rapid = await core.votes.submit(`${LINK}?3`, "Safe");
    assert.ok(rapid.type === "Throttled" && rapid.rule === "RapidVoting");
  },
  "a watched rating comes at once and after each change": async (open) => {
    const core = await open();
    const seen: number[] = [];
    for await (const rating of core.ratings.watch(LINK)) {
      seen.push(rating.totalVotes);
      if (seen.length === 3) break;
      await core.votes.submit(LINK, "Safe", { userId: `user ${seen.length}` });
    }
    assert.deepEqual(seen, [0, 1, 2]);
  },
  "key-value data is stored, merged, listed and cleared": async (open) => {
    const core = await open();
    await core.kv.multiSet([
      { key: "b", value: '{"x":{"y":1},"z":1}' },
      { key: "a", value: "1" },
      { key: "é", value: "" },
    ]);
    await core.kv.merge([
      { key: "b", value: '{"x":{"w":2},"z":null}' },
      { key: "c", value: "{}" },
    ]);
    assert.equal(await core.kv.get("b"), '{"x":{"y":1,"w":2},"z":null}');
    assert.deepEqual(await core.kv.keys(), ["a", "b", "c", "é"]);
    await core.kv.multiRemove(["a", "none"]);
    assert.deepEqual(await core.kv.multiGet(["a", "é"]), [
      { key: "a", value: undefined },
      { key: "é", value: "" },
    ]);
    await core.kv.clear();
    assert.deepEqual(await core.kv.keys(), []);
  },
  "the cache forgets what is old and what is too much": async (open) => {
    const core = await open({ cacheCapacity: 10 });
    core.cache.set("k", "v");
    core.cache.set("short", "v", 1);
    const set = performance.now();
    while (performance.now() - set < 2);
    assert.deepEqual(
      [core.cache.get("k"), core.cache.get("short"), core.cache.get("none")],
      ["v", undefined, undefined],
    );
    const { hits, misses, hitRate, capacity } = core.cache.statistics();
    assert.deepEqual([hits, misses, capacity], [1, 2, 10]);
    assert.ok(Math.abs(hitRate - 1 / 3) < 1e-9);
    for (const number of range(100)) core.cache.set(`${number}`, "v");
    assert.ok(core.cache.statistics().entries <= 10);
    assert.equal(core.cache.remove("99"), true);
    core.cache.clear();
    assert.equal(core.cache.statistics().entries, 0);
  },
  "settings keep what is not given": async (open) => {
    const core = await open();
    assert.equal((await core.settings.update({ scanRetentionDays: 30 })).autoSync, true);
    await core.settings.update({ autoSync: false });
    const settings = { notifications: true, autoSync: false, scanRetentionDays: 30, voteRetentionDays: 0 };
    assert.deepEqual(await core.settings.get(), settings);
  },
  "events reach listeners and loops in order, and a listener that throws harms nobody": async (open) => {
    const failures: unknown[] = [];
    const core = await open({}, { onListenerError: (error, { type }) => failures.push([error, type]) });
    const failure = new Error("of the app");
    core.on("ScansAdded", () => {
      throw failure;
    });
    const counts: number[] = [];
    const off = core.on("ScansAdded", ({ count }) => void counts.push(count));
    const types: string[] = [];
    const settled = new Promise<void>((resolve) => void core.on("SettingsChanged", () => resolve()));
    const loop = (async () => {
      for await (const { type } of core.events()) types.push(type);
    })();
    await core.scans.record("one");
    await core.kv.set("k", "v");
    await core.votes.submit(LINK, "Safe");
    await core.settings.update({ autoSync: false });
    await settled;
    off();
    await core.scans.clear();
    await core.shutdown();
    await loop;
    const told = ["ScansAdded", "KeyValueChanged", "VoteChanged", "SettingsChanged", "ScansRemoved", "HealthChanged"];
    assert.deepEqual(types, told);
    assert.deepEqual(counts, [1]);
    assert.deepEqual(failures, [[failure, "ScansAdded"]]);
  },
  "a loop ends by its signal": async (open) => {
    const core = await open();
    const aborter = new AbortController();
    const reason = new Error("enough");
    const loop = (async () => {
      for await (const { type } of core.events({ signal: aborter.signal }))
        if (type === "ScansAdded") aborter.abort(reason);
    })();
    await Promise.all([assert.rejects(loop, reason), core.scans.record("one")]);
    await assert.rejects(core.kv.get("k", { signal: AbortSignal.abort(reason) }), reason);
  },
  "without a server in the configuration nothing is queued": async (open, { SafeScanError }) => {
    const core = await open();
    await core.votes.submit(LINK, "Safe");
    const status = {
      state: "Disabled",
      cause: "NotConfigured",
      realtime: "Disabled",
      pending: 0,
      lastReport: undefined,
    };
    assert.deepEqual(await core.sync.status(), status);
    assert.deepEqual((await core.sync.operations()).operations, []);
    core.sync.networkChanged("Online");
    for (const call of [() => core.sync.now(), () => core.sync.runOnce(1_000), () => core.sync.setToken("dG9rZW4")]) {
      const refused = (error: unknown) => error instanceof SafeScanError && /sync is not part of/.test(error.message);
      await assert.rejects(call, refused);
    }
    for await (const { state } of core.sync.statuses()) {
      assert.equal(state, "Disabled");
      break;
    }
  },
  "breakers open after five failures": async (open, { CircuitOpenError }) => {
    const core = await open();
    const failure = new Error("no answer");
    for (const _ of range(5))
      await assert.rejects(
        core.circuits.run("s", () => Promise.reject(failure)),
        failure,
      );
    assert.equal(core.circuits.state("s"), "Open");
    await assert.rejects(
      core.circuits.run("s", () => 1),
      (error) => error instanceof CircuitOpenError && error.retryAfterMs > 0,
    );
    assert.equal(await core.circuits.run("another", () => 42), 42);
  },
  "what was stored is there after a reopening; a core that was shut down says so": async (open, { SafeScanError }) => {
    const core = await open();
    await core.kv.set("k", "v");
    assert.equal(core.health().services.find(({ service }) => service === "LocalStorage")?.state, "Healthy");
    await core.shutdown();
    await core.shutdown();
    for (const call of [() => core.kv.get("k"), async () => core.cache.get("k"), () => core.votes.mine(LINK)]) {
      await assert.rejects(call, (error) => error instanceof SafeScanError && error.type === "Stopped");
    }
    assert.equal(await (await open()).kv.get("k"), "v");
  },
  "what cannot be taken is InvalidInput, in the same words": async (open, { SafeScanError, classifyQr }) => {
    const core = await open();
    const calls: [reason: RegExp, call: () => unknown][] = [
      [/text is empty/, () => core.scans.record("")],
      [/text contains an unpaired surrogate/, () => core.scans.record(HIGH)],
      [/scan.verdict is not one of Unknown, Safe/, () => core.scans.record("x", { verdict: wrong("Bogus") })],
      [/scanned_at is not between/, () => core.scans.record("x", { scannedAt: 1_700_000_000 })],
      [/scans\[1\]\.text is not a string/, () => core.scans.recordMany([{ text: "good" }, wrong({})])],
      [/limit is not between 1 and 500/, () => core.scans.history({ limit: 501 })],
      [/scan_id is not 16 hexadecimal digits/, () => core.scans.get("nonsense")],
      [/code is neither/, () => core.ratings.get(wrong(undefined))],
      [/qr_hash is not 64 hexadecimal/, () => core.ratings.get({ type: "Hash", qrHash: "ab" })],
      [/vote.choice is not one of Safe, Unsafe/, () => core.votes.submit(LINK, wrong("Maybe"))],
      [/voted_at/, () => core.votes.submit(LINK, "Safe", { votedAt: Date.now() + 600_000 })],
      [/weight is not between 0 and 10/, () => core.votes.setReputation(-1)],
      [/key is empty/, () => core.kv.set("", "v")],
      [/key is longer than 1024 bytes/, () => core.kv.set("ü".repeat(513), "v")],
      [/value is not a string/, () => core.kv.set("k", wrong(null))],
      [/is not a JSON object/, () => core.kv.merge([{ key: "k", value: "[]" }])],
      [/autoSync is not a boolean/, () => core.settings.update({ autoSync: wrong("yes") })],
      [/ttl_ms is not between 1/, () => core.cache.set("k", "v", 0)],
      [/text is empty/, () => classifyQr("")],
    ];
    for (const [reason, call] of calls) {
      const refused = (error: unknown) =>
        error instanceof SafeScanError && error.type === "InvalidInput" && reason.test(error.message);
      await assert.rejects(async () => call(), refused, String(reason));
    }
    const { scans, votes, kvEntries } = await core.statistics();
    assert.deepEqual([scans, votes, kvEntries], [0, 0, 0]);
  },
};

for (const [name, the] of [
  ["the real core", real],
  ["the stand-in", standIn],
] as const) {
  for (const [behaviour, holds] of Object.entries(behaviours)) {
    test(`${name}: ${behaviour}`, async (t) => holds(opener(t, the), the));
  }
}

test("both export the same names and values", () => {
  assert.deepEqual(Object.keys(standIn).sort(), Object.keys(real).sort());
  for (const [name, value] of Object.entries(real)) {
    if (typeof value === "object") assert.deepEqual(standIn[name as keyof Package], value, name);
  }
});

test("what the stand-in does not have, it says", async (t) => {
  const core = await opener(t, standIn)();
  assert.throws(() => core.storage, /in-memory stand-in has no files/);
  const sync = { baseUrl: "https://example.com" };
  const wanted = await standIn.SafeScan.open({ directory: newDirectory(t), sync });
  await assert.rejects(
    wanted.sync.now(),
    (error) => error instanceof standIn.SafeScanError && error.type === "Offline",
  );
  assert.equal((await wanted.sync.status()).cause, "NotSupported");
});

test("with the library it is the real core, on a directory that goes with it", async () => {
  assert.equal(isRealCore, true);
  const core = await openTemporary();
  await core.kv.set("k", "v");
  const { onDisk } = await core.storage.usage();
  assert.ok(onDisk > 0);
  await core.shutdown();
});

test("without the library it is the stand-in, which says so once", async (t) => {
  // This package as it lies on a machine that it has no library for.
  const directory = newDirectory(t);
  const built = resolve(dirname(fileURLToPath(import.meta.url)), "../src");
  cpSync(built, join(directory, "src"), { recursive: true, filter: (file) => !/\.(so|dylib)$/.test(file) });
  cpSync(resolve(built, "../../package.json"), join(directory, "package.json"));
  symlinkSync(resolve(built, "../../node_modules"), join(directory, "node_modules"));
  assert.ok(existsSync(join(directory, "src/generated")));
  const program = `
    const { isRealCore, openTemporary } = await import("${join(directory, "src/jest/index.js")}");
    await import("${join(directory, "src/jest/index.js")}");
    const core = await openTemporary();
    await core.scans.record("https://example.com/");
    console.log(isRealCore, (await core.scans.history()).scans.length);
    await core.shutdown();`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  assert.equal(stdout, "false 1\n");
  assert.equal(stderr.match(/a stand-in in memory takes its place/g)?.length, 1, stderr);
});

/** Opens on a directory of the test's own. */
function opener(t: TestContext, the: Package): Open {
  const directory = newDirectory(t);
  return async (config, options) => {
    const core = await the.SafeScan.open({ directory, ...config }, options);
    afterwards(t, () => core.shutdown());
    return core;
  };
}
