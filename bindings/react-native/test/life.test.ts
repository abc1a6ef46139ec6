import assert from "node:assert/strict";
import test from "node:test";

import { CircuitOpenError, SafeScan, SafeScanError } from "react-native-safescan";

import { translated } from "../src/errors.js";
import { fails, hooks, newCore, newDirectory, range, wholeHistory } from "./support/harness.js";

test("everything is there after a reopening", async (t) => {
  const directory = newDirectory(t);
  const key = Uint8Array.from({ length: 32 }, (_, index) => index);
  const first = await SafeScan.open({ directory, identityKey: key });
  const scan = await first.scans.record("https://example.com/", { verdict: "Suspicious", metadata: "{}" });
  await first.votes.submit(scan.text, "Unsafe");
  await first.kv.set("key", "value");
  await first.settings.update({ scanRetentionDays: 30 });
  const voter = (await first.votes.mine(scan.text))?.voterId;
  await first.shutdown();
  await first.shutdown();
  await fails("Stopped", /./, () => first.kv.get("key"));

  const { core } = await newCore(t, { directory, identityKey: Uint8Array.of(0, ...key).subarray(1) });
  assert.deepEqual((await core.scans.history()).scans, [scan]);
  assert.equal((await core.votes.mine(scan.text))?.choice, "Unsafe");
  assert.equal((await core.votes.mine(scan.text))?.voterId, voter);
  assert.equal((await core.ratings.get(scan.text)).unsafeVotes, 1);
  assert.equal(await core.kv.get("key"), "value");
  assert.equal((await core.settings.get()).scanRetentionDays, 30);
  assert.equal(core.health().identityKey, "Host");
});

test("a directory that is open gives the same core", async (t) => {
  const { core, config } = await newCore(t);
  const again = await SafeScan.open(config);
  await core.kv.set("key", "value");
  assert.equal(await again.kv.get("key"), "value");
  await fails("InvalidInput", "with another configuration", () => SafeScan.open({ ...config, votesPerMinute: 7 }));
});

test("await using shuts the core down", async (t) => {
  const directory = newDirectory(t);
  let kept: SafeScan;
  {
    await using core = await SafeScan.open({ directory });
    kept = core;
    await core.kv.set("key", "value");
  }
  await fails("Stopped", /./, () => kept.kv.get("key"));
  await fails("Stopped", /./, () => kept.cache.get("key"));
});

test("a panic is an error value, and the next call works", async (t) => {
  const { core, config } = await newCore(t);
  const hook = await hooks(config);
  const thrown: unknown = await hook.testPanic().then(
    () => undefined,
    (error: unknown) => error,
  );
  const error = translated(thrown);
  assert.ok(error instanceof SafeScanError);
  assert.equal(error.type, "Internal");
  assert.match(error.message, /panic/);
  await core.kv.set("key", "value");
  assert.equal(await core.kv.get("key"), "value");
});

test("storage that cannot be reached is an error by name, and comes back", async (t) => {
  const { core, config } = await newCore(t);
  const hook = await hooks(config);
  hook.testFailStorage(true);
  await fails("StorageUnavailable", /./, () => core.scans.record("https://example.com/"));
  assert.equal((await core.ratings.get("https://example.com/")).source, "Neutral");
  hook.testFailStorage(false);
  await core.scans.record("https://example.com/");
  assert.equal((await core.statistics()).scans, 1);
});

test("calls that are aborted at any moment leave a whole state", async (t) => {
  const { core } = await newCore(t);
  const reason = new Error("changed my mind");
  const aborted = new AbortController();
  aborted.abort(reason);
  await assert.rejects(core.scans.record("never", { signal: aborted.signal }), reason);
  assert.equal((await core.statistics()).scans, 0, "a call aborted beforehand is not made");

  const outcomes = await Promise.all(
    range(60).map(async (number) => {
      const aborter = new AbortController();
      const scans = range(10).map((part) => ({ text: `${number}/${part}` }));
      const call = core.scans.recordMany(scans, { signal: aborter.signal });
      // A different moment each time: from at once to after the end.
      if (number < 59) abortAfterTurns(aborter, number, reason);
      else void call.finally(() => aborter.abort(reason));
      return call.then(
        () => "kept",
        (error: unknown) => (error === reason ? "aborted" : String(error)),
      );
    }),
  );
  assert.deepEqual(new Set(outcomes), new Set(["aborted", "kept"]));

  const texts = new Set((await wholeHistory(core)).map((scan) => scan.text));
  for (const [number, outcome] of outcomes.entries()) {
    const kept = range(10).filter((part) => texts.has(`${number}/${part}`)).length;
    assert.ok(kept === 10 || (kept === 0 && outcome === "aborted"), `batch ${number} (${outcome}) kept ${kept} of 10`);
  }
  assert.equal((await core.storage.checkIntegrity()).intact, true);
  assert.equal((await core.statistics()).scans, texts.size);
});

test("a circuit breaker passes results and errors through, and opens after five failures", async (t) => {
  const { core } = await newCore(t);
  assert.equal(await core.circuits.run("service", () => 42), 42);
  const failure = new Error("no answer");
  for (const _ of range(5)) {
    await assert.rejects(
      core.circuits.run("service", () => Promise.reject(failure)),
      failure,
    );
  }
  assert.equal(core.circuits.state("service"), "Open");
  let calls = 0;
  const refusal = core.circuits.run("service", () => (calls += 1));
  await assert.rejects(refusal, (error) => error instanceof CircuitOpenError && error.retryAfterMs > 0);
  assert.equal(calls, 0);
  assert.equal(await core.circuits.run("another service", () => Promise.resolve("fine")), "fine");
  await fails("InvalidInput", "service is not a string", () =>
    core.circuits.run(undefined as unknown as string, () => 1),
  );
});

function abortAfterTurns(aborter: AbortController, turns: number, reason: Error): void {
  if (turns === 0) aborter.abort(reason);
  else setImmediate(() => abortAfterTurns(aborter, turns - 1, reason));
}
