// The guide's services as an app calls them: initialise, store, vote, rate; and what they do when there is no core.
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";

import { CircuitOpenError, hashQrData, SafeScan } from "react-native-safescan";
import {
  BackendInfrastructureService,
  CacheService,
  CloudSyncService,
  CommunityDatabaseService,
  connect,
  ErrorHandlingService,
  LocalStorageService,
  type UserScanData,
  type Vote,
  WebSocketService,
} from "react-native-safescan/legacy";

import { afterwards, newCore, newDirectory, range } from "./support/harness.js";

const LINK = "https://example.com/menu";

const backend = BackendInfrastructureService.getInstance();
const localStorage = LocalStorageService.getInstance();
const communityDB = CommunityDatabaseService.getInstance();
const cloudSync = CloudSyncService.getInstance();
const webSocket = WebSocketService.getInstance();
const errorHandling = ErrorHandlingService.getInstance();

async function connectedCore(t: TestContext): Promise<SafeScan> {
  const { core } = await newCore(t);
  connect(core);
  afterwards(t, () => connect(undefined));
  return core;
}

const vote = (fields: Partial<Vote> = {}): Vote => ({
  userId: communityDB.anonymizeUserId("ada"),
  qrHash: communityDB.hashQRData(LINK),
  vote: "safe",
  timestamp: Date.now(),
  ...fields,
});

test("each service is one, whoever asks", () => {
  const services = [
    BackendInfrastructureService,
    CacheService,
    CloudSyncService,
    CommunityDatabaseService,
    ErrorHandlingService,
    LocalStorageService,
    WebSocketService,
  ];
  for (const service of services) {
    const instance: object = service.getInstance();
    assert.ok(instance instanceof service);
    assert.equal(service.getInstance(), instance);
  }
});

test("an app's way: initialise, store a scan, vote, ask for the rating", async (t) => {
  const directory = newDirectory(t);
  connect(() => SafeScan.open({ directory }));
  await backend.initialize();
  const core = await SafeScan.open({ directory });
  afterwards(t, async () => {
    connect(undefined);
    await core.shutdown();
  });

  const scanData: UserScanData = { qrData: LINK, timestamp: Date.now(), result: "safe" };
  const stored = await backend.storeScanData(scanData);
  assert.deepEqual([stored.success, stored.data, stored.error], [true, scanData, undefined]);
  const voted = await backend.submitVote(vote());
  assert.ok(voted.success && voted.data, voted.error);
  const rating = await backend.getCommunityRating(vote().qrHash);
  assert.equal(
    `Community confidence: ${((rating?.confidence ?? 0) * 100).toFixed(1)}%`,
    "Community confidence: 100.0%",
  );
  assert.deepEqual(backend.getSystemHealth(), {
    localStorage: "healthy",
    cloudSync: "degraded",
    communityDB: "healthy",
    webSocket: "reconnecting",
    cache: "healthy",
  });

  // It is the core's data, under the core's names.
  const [scan] = (await core.scans.history()).scans;
  assert.deepEqual([scan?.text, scan?.verdict, scan?.scannedAt], [LINK, "Safe", scanData.timestamp]);
  assert.equal((await core.ratings.get(LINK)).safeVotes, 1);
  assert.equal(vote().qrHash, `sha256_${hashQrData(LINK)}`);
  assert.equal((await core.votes.mine(LINK, { userId: vote().userId }))?.choice, "Safe");
});

test("scans that the app did not store by these services are in the history too", async (t) => {
  const core = await connectedCore(t);
  const { id, scannedAt } = await core.scans.record(LINK, { verdict: "Unsafe" });
  const noted = await core.scans.record("a note", { metadata: '{"note":1}', scannedAt: scannedAt - 1 });
  await core.scans.record("imported", { metadata: '{"url":"imported","scannedAt":"x"}', scannedAt: scannedAt - 2 });
  assert.deepEqual(await localStorage.getScanHistory(), [
    { id, qrData: LINK, verdict: "unsafe", timestamp: scannedAt },
    { id: noted.id, qrData: "a note", verdict: "unknown", timestamp: scannedAt - 1 },
    { url: "imported", scannedAt: "x", timestamp: scannedAt - 2 },
  ]);
});

test("a history of more than one page is read whole", async (t) => {
  const core = await connectedCore(t);
  const start = Date.now() - 10_000;
  await core.scans.recordMany(range(1_201).map((number) => ({ text: `${number}`, scannedAt: start + number })));
  const history = await localStorage.getScanHistory();
  assert.deepEqual(
    history.map(({ qrData }) => qrData),
    range(1_201).map((number) => `${1_200 - number}`),
  );
});

test("a name that no code and no user can have takes no votes", async (t) => {
  await connectedCore(t);
  const uncodable = ["", "  ", "x".repeat(5_000), "\ud83d", "a\0b"];
  for (const text of uncodable) {
    const qrHash = communityDB.hashQRData(text);
    assert.equal(qrHash, "sha256_0");
    assert.equal((await backend.submitVote(vote({ qrHash }))).error, "Invalid vote data");
    assert.equal(await backend.getCommunityRating(qrHash), null);
  }
  const userId = communityDB.anonymizeUserId("u".repeat(5_000));
  assert.equal((await backend.submitVote(vote({ userId }))).error, "Invalid vote data");
  const ids = ["", " ", "a", " a", "a ", "A", "\ud83d", "\ud83e", "https://example.com", "HTTPS://EXAMPLE.com/"];
  assert.equal(new Set(ids.map((id) => communityDB.anonymizeUserId(id))).size, ids.length, "no two users are one");
});

test("the owner's votes are the installation's own, and a second person's are not", async (t) => {
  const { core } = await newCore(t);
  connect(core, { owner: "ada" });
  afterwards(t, () => connect(undefined));
  await core.votes.submit(LINK, "Unsafe", { votedAt: Date.now() - 60_000 });
  await backend.submitVote(vote());
  assert.equal((await core.votes.mine(LINK))?.choice, "Safe", "changed, and not cast beside it");
  const { data } = await backend.submitVote(vote({ userId: communityDB.anonymizeUserId("bob"), vote: "unsafe" }));
  assert.deepEqual([data?.safeVotes, data?.unsafeVotes], [1, 1]);
  assert.equal((await backend.submitVote(vote({ userId: "ada" }))).data?.totalVotes, 2);
});

test("old votes go by the setting, if there is one", async (t) => {
  const core = await connectedCore(t);
  await core.settings.update({ voteRetentionDays: 90 });
  await backend.submitVote(vote({ timestamp: Date.now() - 40 * 86_400_000 }));
  await communityDB.cleanupOldData();
  assert.equal((await backend.getCommunityRating(vote().qrHash))?.totalVotes, 1);
  assert.equal((await core.settings.get()).voteRetentionDays, 90);
});

test("an open breaker is the core's own error", async (t) => {
  const core = await connectedCore(t);
  for (const _ of range(5)) await errorHandling.executeWithCircuitBreaker("s", () => Promise.reject(1)).catch(() => {});
  await assert.rejects(
    errorHandling.executeWithCircuitBreaker("s", async () => 1),
    CircuitOpenError,
  );
  assert.equal(core.circuits.state("s"), "Open");
  assert.equal(
    await errorHandling.executeWithCircuitBreaker("", async () => 1),
    1,
    "a service without a name is not guarded",
  );
});

test("with a server that does not answer, nothing is connected, and nothing is lost", async (t) => {
  const sync = { baseUrl: "http://127.0.0.1:9", allowPlainLoopback: true };
  const { core } = await newCore(t, { sync });
  connect(core);
  afterwards(t, () => connect(undefined));
  assert.equal((await backend.submitVote(vote())).success, true);
  const { success, error } = await cloudSync.syncToCloud([vote()]);
  assert.ok(!success && error);
  assert.equal(await webSocket.connect(), false);
  assert.deepEqual([cloudSync.isConnected(), webSocket.isConnected()], [false, false]);
  const { operations } = await core.sync.operations();
  assert.deepEqual([operations.length, operations[0]?.kind], [1, "VoteSet"], "once, however often it fails");
});

test("the live link is up when the core says so, and not before", async (t) => {
  let state: "Healthy" | "Unavailable" = "Unavailable";
  let tell = (): void => assert.fail("nobody listens");
  const health = () => {
    const cause = state === "Healthy" ? "None" : "NotTried";
    return { service: "Realtime", state, cause, since: 0 } as const;
  };
  const core = {
    health: () => ({ services: [health()], identityKey: "Database" }),
    on: (_: unknown, listener: (event: unknown) => void) => {
      tell = () => listener({ type: "HealthChanged", health: health() });
      return () => (tell = () => assert.fail("nobody listens"));
    },
  };
  connect(core as unknown as SafeScan);
  afterwards(t, () => connect(undefined));
  const connecting = webSocket.connect();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(webSocket.isConnected(), false);
  tell();
  state = "Healthy";
  tell();
  assert.equal(await connecting, true);
  assert.equal(webSocket.isConnected(), true);
  assert.throws(tell, /nobody listens/);
});
