// What an app is told of its changes on their way to the reference server.
import assert from "node:assert/strict";
import test from "node:test";

import type { EventOf, EventType, SafeScan } from "react-native-safescan";

import { collected, fails, hooks } from "./support/harness.js";
import { newDevice, newServer } from "./support/server.js";

const CODE = "https://example.com/menu";

/** The first event of a type from now on. */
function told<Type extends EventType>(core: SafeScan, type: Type): Promise<EventOf<Type>> {
  return new Promise((resolve) => {
    const stop = core.on(type, (event) => {
      stop();
      resolve(event);
    });
  });
}

test("a run ends with its report", async (t) => {
  const { core } = await newDevice(t, await newServer(t), "ada");
  const finished = told(core, "SyncFinished");
  await core.votes.submit(CODE, "Safe");
  const report = await core.sync.now();
  assert.deepEqual([report.sent, report.superseded, report.waiting], [1, 0, 0]);
  assert.deepEqual((await finished).report, report);
});

test("a change that gives way to a later one of another device is told of", async (t) => {
  const server = await newServer(t);
  const { core: phone } = await newDevice(t, server, "ada");
  const { core: tablet, config } = await newDevice(t, server, "ada");
  const gaveWay = told(phone, "OperationSuperseded");
  await phone.settings.update({ scanRetentionDays: 30 });
  const [earlier] = (await phone.sync.operations()).operations;
  (await hooks(config)).testAdvanceClock(1_000n);
  await tablet.settings.update({ scanRetentionDays: 60 });
  await tablet.sync.now();

  assert.equal((await phone.sync.now()).superseded, 1);
  assert.deepEqual(await gaveWay, { type: "OperationSuperseded", id: earlier?.id, kind: "SettingPut" });
  assert.equal((await phone.settings.get()).scanRetentionDays, 60);
});

test("a token is asked for, and after a second one that is refused the change waits for the app", async (t) => {
  const { core } = await newDevice(t, await newServer(t), "nobody");
  const events = collected(core.events());
  await core.votes.submit(CODE, "Safe");
  const [vote] = (await core.sync.operations()).operations;
  await fails("Unauthorized", /^the server wants another token$/, () => core.sync.now());
  await events.until(({ type }) => type === "TokenWanted");
  assert.equal((await core.sync.operations()).operations[0]?.state, "Pending");

  await core.sync.setToken("token-of-no-one");
  await fails("Unauthorized", /^the server wants another token$/, () => core.sync.now());
  const parked = await events.until(({ type }) => type === "OperationParked");
  assert.deepEqual(parked, { type: "OperationParked", id: vote?.id, reason: "Auth" });
  assert.equal((await core.sync.operations()).operations[0]?.state, "Parked");

  await core.sync.setToken("token-of-ada");
  assert.equal((await core.sync.now()).sent, 1);
  assert.equal(events.seen.filter(({ type }) => type === "TokenWanted").length, 2, "once for each that was refused");
});

test("a server that wants fewer requests says for how long, and nothing is lost", async (t) => {
  const { core } = await newDevice(t, await newServer(t, "rate-limit=1:30"), "ada");
  await core.votes.submit(CODE, "Safe");
  const error = await fails("RateLimited", /^the server asked for fewer requests$/, () => core.sync.now());
  assert.equal(error.retryAfterMs, 30_000);
  assert.equal((await core.statistics()).pendingOperations, 1);
});
