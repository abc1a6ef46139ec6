import assert from "node:assert/strict";
import test from "node:test";

import { type Code, type CoreEvent, hashQrData, type Rating, SafeScan } from "react-native-safescan";

import * as input from "../src/inputs.js";
import { afterwards, collected, first, hooks, newCore, range } from "./support/harness.js";

const CODE = "https://example.com/";

test("a watched rating comes as it is, and then whenever it changes, however the code is named", async (t) => {
  const { core } = await newCore(t);
  await core.votes.submit(CODE, "Safe", { userId: "ada" });
  const codes: Code[] = [
    CODE,
    { type: "Text", text: "HTTPS://EXAMPLE.COM/#top" },
    { type: "Hash", qrHash: hashQrData(CODE) },
  ];
  const loops = codes.map((code) => collected(core.ratings.watch(code)));
  const other = collected(core.ratings.watch("https://example.org/"));
  for (const loop of loops) await loop.until(({ totalVotes }) => totalVotes === 1);
  await other.until(() => true);
  for (const userId of ["bob", "cyd"]) {
    await core.votes.submit(CODE, "Unsafe", { userId });
    for (const loop of loops) await loop.until(({ unsafeVotes }) => unsafeVotes === (userId === "bob" ? 1 : 2));
  }
  await core.shutdown();
  for (const { all } of loops)
    assert.deepEqual((await all).map(counts), [
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
  assert.equal((await other.all).length, 1);
});

test("a rating that is watched never goes back, and comes to where it is", async (t) => {
  const { core } = await newCore(t, { votesPerMinute: 1_000 });
  const ratings: Rating[] = [];
  const loop = (async () => {
    for await (const rating of core.ratings.watch(CODE)) {
      ratings.push(rating);
      // A reader that is slower than the votes come.
      await core.statistics();
      if (rating.totalVotes === 50) return;
    }
  })();
  await Promise.all(range(50).map((number) => core.votes.submit(CODE, "Safe", { userId: `voter ${number}` })));
  await loop;
  const totals = ratings.map(({ totalVotes }) => totalVotes);
  assert.deepEqual(
    totals,
    totals.toSorted((a, b) => a - b),
  );
});

test("what is heard late, of a watch before, does not take the place of what is so now", async (t) => {
  const { core, config } = await newCore(t);
  const below = await hooks(config);
  const code = input.code("code", CODE);
  // A change that nobody hears of, as nobody listens; and one that is not told, as nobody watches.
  below.watch([code]);
  await core.votes.submit(CODE, "Safe", { userId: "ada" });
  below.unwatch([code]);
  await core.votes.submit(CODE, "Safe", { userId: "bob" });

  const loop = collected(core.ratings.watch(CODE));
  await loop.until(() => true);
  await core.votes.submit(CODE, "Safe", { userId: "cyd" });
  await loop.until(({ totalVotes }) => totalVotes === 3);
  assert.ok(loop.seen.every(({ totalVotes }) => totalVotes >= 2));
});

test("whoever leaves a watch, or is aborted, ends it for himself alone", async (t) => {
  const { core } = await newCore(t);
  const events = collected(core.events());
  const staying = collected(core.ratings.watch(CODE));
  const aborter = new AbortController();
  const aborted = collected(core.ratings.watch(CODE, { signal: aborter.signal }));
  await first(core.ratings.watch(CODE));
  await aborted.until(() => true);
  aborter.abort(new Error("the screen was left"));
  await assert.rejects(aborted.all, /the screen was left/);

  await staying.until(() => true);
  await core.votes.submit(CODE, "Safe");
  await staying.until(({ ownVote }) => ownVote === "Safe");
  await core.shutdown();
  await staying.all;
  assert.equal((await events.all).filter(({ type }) => type === "RatingChanged").length, 1);
});

test("when the last watch is left, changes are no longer told", async (t) => {
  const { core } = await newCore(t);
  const events = collected(core.events());
  for (const code of [CODE, CODE]) await first(core.ratings.watch(code));
  const aborter = new AbortController();
  // Aborted before its first reading is done.
  const aborted = first(core.ratings.watch(CODE, { signal: aborter.signal }));
  aborter.abort();
  await assert.rejects(aborted, { name: "AbortError" });
  await core.votes.submit(CODE, "Safe");
  await core.shutdown();
  const types = (await events.all).map(({ type }: CoreEvent) => type);
  assert.ok(types.includes("VoteChanged"));
  assert.ok(!types.includes("RatingChanged"));
});

test("a watch ends with the core, wherever it is", async (t) => {
  const { core, config } = await newCore(t);
  const events = collected(core.events());
  const behind = core.ratings.watch(CODE)[Symbol.asyncIterator]();
  await behind.next();
  await core.votes.submit(CODE, "Safe");
  await events.until(({ type }) => type === "RatingChanged");
  const reading = collected(core.ratings.watch(CODE));
  await core.shutdown();
  assert.equal((await behind.next()).done, true);
  await reading.all;

  const again = await SafeScan.open(config);
  afterwards(t, () => again.shutdown());
  assert.equal((await first(again.ratings.watch(CODE)))?.safeVotes, 1);
});

test("a watch too many is refused, and leaves nothing behind", async (t) => {
  const { core } = await newCore(t);
  const loops = range(1_000).map((number) =>
    core.ratings.watch(`https://example.com/${number}`)[Symbol.asyncIterator](),
  );
  await Promise.all(loops.map((loop) => loop.next()));
  await assert.rejects(first(core.ratings.watch("https://example.org/")), { type: "InvalidInput", message: /1000/ });
  await Promise.all(loops.map((loop) => loop.return?.()));
  assert.equal((await first(core.ratings.watch("https://example.org/")))?.totalVotes, 0);
});

test("the status of synchronisation comes as it is, and whenever it changes", async (t) => {
  // Nobody listens there.
  const sync = { baseUrl: "http://127.0.0.1:9", allowPlainLoopback: true, onlyWhenAsked: true };
  const { core } = await newCore(t, { sync });
  const loop = collected(core.sync.statuses());
  const before = await loop.until(() => true);
  assert.deepEqual(before, { ...before, state: "Unavailable", cause: "NotTried", realtime: "Disabled", pending: 0 });
  await core.votes.submit(CODE, "Safe");
  await loop.until(({ pending }) => pending === 1);
  await assert.rejects(core.sync.now(), { type: "Offline" });
  await loop.until(({ cause }) => cause === "Offline");
  assert.equal((await core.sync.status()).pending, 1);
  const [operation] = (await core.sync.operations()).operations;
  assert.equal(await core.sync.discard(operation?.id ?? ""), true);
  await loop.until(({ pending }, seen) => seen.length > 2 && pending === 0);
  await core.shutdown();
  for (const [index, status] of (await loop.all).entries()) assert.notDeepEqual(status, loop.seen[index + 1]);
});

test("without a server there is nothing to synchronise", async (t) => {
  const { core } = await newCore(t);
  assert.deepEqual(await core.sync.status(), {
    state: "Disabled",
    cause: "NotConfigured",
    realtime: "Disabled",
    pending: 0,
    lastReport: undefined,
  });
});

function counts({ safeVotes, unsafeVotes }: Rating): number[] {
  return [safeVotes, unsafeVotes];
}

test("a shutdown amid watches comes to its end, though somebody reads the log", async (t) => {
  const sync = { baseUrl: "http://127.0.0.1:9", allowPlainLoopback: true };
  for (let round = 0; round < 5; round += 1) {
    const { core } = await newCore(t, { sync });
    core.setLogSink("Debug", () => {});
    const loops = ["https://a.example/1", "https://a.example/2"].map((code) => collected(core.ratings.watch(code)));
    await Promise.all(loops.map((loop) => loop.until(() => true)));
    await core.shutdown();
    await Promise.all(loops.map((loop) => loop.all));
  }
});
