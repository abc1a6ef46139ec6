// What the modules over a connected core do while there is none, and after its shutdown. The clock is Node's to turn.
import assert from "node:assert/strict";
import test from "node:test";

import AsyncStorage, { AsyncStorageError, connect, NotConnectedError } from "react-native-safescan/async-storage";
import {
  BackendInfrastructureService,
  CacheService,
  CloudSyncService,
  CommunityDatabaseService,
  ErrorHandlingService,
  LocalStorageService,
  WebSocketService,
} from "react-native-safescan/legacy";

import { afterwards, newCore, range } from "./support/harness.js";

const LINK = "https://example.com/menu";

const backend = BackendInfrastructureService.getInstance();
const localStorage = LocalStorageService.getInstance();
const communityDB = CommunityDatabaseService.getInstance();
const cloudSync = CloudSyncService.getInstance();
const webSocket = WebSocketService.getInstance();
const cache = CacheService.getInstance();
const errorHandling = ErrorHandlingService.getInstance();

test("without a core a call of AsyncStorage fails after ten seconds, and says what to do", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const call = AsyncStorage.getItem("k").catch((error: unknown) => error);
  t.mock.timers.tick(10_000);
  const error = await call;
  assert.ok(error instanceof AsyncStorageError && error.type === "NativeModuleError", String(error));
  assert.ok(error.cause instanceof NotConnectedError);
  assert.match(error.message, /call connect\(/);
});

test("with no core, and after its shutdown, nothing throws that did not throw", async (t) => {
  const { core } = await newCore(t);
  const errors = t.mock.method(console, "error", () => {});
  const states = { "no core": undefined, "a core that was shut down": core } as const;
  await core.shutdown();
  afterwards(t, () => connect(undefined));
  const qrHash = communityDB.hashQRData(LINK);
  const vote = { userId: "user_1", qrHash, vote: "safe", timestamp: Date.now() } as const;
  for (const [state, source] of Object.entries(states)) {
    await t.test(state, async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      connect(source);
      const calls = Promise.all([
        backend.storeScanData({ qrData: LINK, timestamp: Date.now() }),
        backend.submitVote(vote),
        backend.getCommunityRating(qrHash),
        localStorage.validateDataIntegrity(),
        localStorage.queueForSync({ mine: 1 }),
        localStorage.enforceStorageLimits([]),
        cloudSync.syncToCloud([]),
        webSocket.connect(),
        errorHandling.executeWithCircuitBreaker("s", async () => "made"),
      ]);
      t.mock.timers.tick(10_000);
      const [stored, voted, rating, valid, queued, limited, synced, link, guarded] = await calls;
      for (const { success, error } of [stored, voted, synced]) assert.ok(!success && error, String(error));
      assert.deepEqual([rating?.confidence, rating?.totalVotes, rating?.qrHash], [0.5, 0, qrHash]);
      assert.deepEqual([valid, queued, limited, link, guarded], [false, undefined, [], false, "made"]);
      cache.set("k", "v");
      assert.deepEqual(
        [cache.get("k"), cache.getStatistics().hitRate, communityDB.getStatistics().totalRatings >= 0],
        [null, 0, true],
      );
      assert.deepEqual([cloudSync.isConnected(), webSocket.isConnected()], [false, false]);
      assert.equal(backend.getSystemHealth().localStorage, "unavailable");
    });
  }
  assert.equal(errors.mock.callCount(), 2, "an operation that is lost is told of");
});

test("operations that are queued within one millisecond keep their order", async (t) => {
  const { core } = await newCore(t);
  connect(core);
  afterwards(t, () => connect(undefined));
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  for (const number of range(12)) await localStorage.queueForSync({ number });
  const queue = await localStorage.getSyncQueue();
  assert.deepEqual(
    queue.map(({ number }) => number),
    range(12),
  );
});
