// The calls that the guide's services and the package's are both driven through. Each case gives what an app would see
// of it.
import type { Services } from "./seed.js";

/** What a case may do besides calling the services. */
export interface World {
  readonly services: Services;
  /** Every access to the storage fails from now on, or works again. */
  failStorage(failing: boolean): Promise<void>;
  /** Damages one stored scan, the one whose text has this in it. */
  damage(text: string): Promise<void>;
  /** Lets time go by. */
  advance(millis: number): Promise<void>;
}

export type Case = (world: World) => Promise<unknown>;

const DAY_MS = 86_400_000;
const link = (name: string | number): string => `https://example.com/${name}`;
const scan = (name: string | number, timestamp = Date.now()) => ({ qrData: link(name), timestamp, result: "safe" });
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const names = (history: readonly Record<string, unknown>[]) => history.map(({ qrData }) => String(qrData).slice(20));
const outcome = <T>(call: Promise<T>): Promise<T | "rejected"> => call.catch(() => "rejected" as const);

/** An answer without the moment it was given at, and an error without its words where they are another storage's. */
function answer({ timestamp, ...rest }: { timestamp: number; success: boolean; error?: string; data?: unknown }) {
  return { ...rest, timestamp: Math.abs(Date.now() - timestamp) < DAY_MS ? "now" : timestamp };
}

const rounded = (number: number): number => Math.round(number * 1_000) / 1_000;

/** A rating under any name, at any time. */
function numbers(rating: Awaited<ReturnType<Services["backend"]["getCommunityRating"]>> | undefined) {
  if (!rating) return rating ?? "none";
  const { qrHash, lastUpdated, confidence, ...counts } = rating;
  return {
    ...counts,
    confidence: rounded(confidence),
    named: qrHash.startsWith("sha256_"),
    dated: lastUpdated > DAY_MS,
  };
}

/** Casts votes on one code, one by one; what became of each. */
async function cast(
  { backend, communityDB }: Services,
  votes: readonly { user: string; vote?: "safe" | "unsafe"; ago?: number; on?: string | number }[],
) {
  const results: unknown[] = [];
  for (const { user, vote = "safe", ago = 0, on = "menu" } of votes) {
    const qrHash = communityDB.hashQRData(link(on));
    const userId = communityDB.anonymizeUserId(user);
    const { success, error, data } = await backend.submitVote({ userId, qrHash, vote, timestamp: Date.now() - ago });
    results.push(success ? numbers(data) : error);
  }
  return results;
}

export const cases: Record<string, Case> = {
  "initialize, with nothing stored": async ({ services }) => services.backend.initialize(),

  // Scans
  "a scan is stored and comes back as it was": async ({ services: { backend, localStorage } }) => {
    const data = { ...scan(1, 1_750_000_000_000), id: 7, device: { name: "x", tags: ["a", null] } };
    return [answer(await backend.storeScanData(data)), await localStorage.getScanHistory()];
  },
  "scans come back, the latest first": async ({ services: { localStorage } }) => {
    for (const number of range(5)) await localStorage.storeScanData(scan(number));
    return names(await localStorage.getScanHistory());
  },
  "an older scan, stored later": async ({ services: { localStorage } }) => {
    for (const [name, ago] of [
      ["new", 0],
      ["old", DAY_MS],
    ] as const) {
      await localStorage.storeScanData(scan(name, Date.now() - ago));
    }
    return names(await localStorage.getScanHistory());
  },
  "a hundred scans, stored at once": async ({ services: { localStorage } }) => {
    await Promise.all(range(100).map((number) => localStorage.storeScanData(scan(number))));
    return (await localStorage.getScanHistory()).length;
  },
  "a scan without a code": async ({ services: { localStorage } }) =>
    (await localStorage.storeScanData({ timestamp: Date.now(), note: "x" })).success,
  "a scan whose time is in seconds": async ({ services: { localStorage } }) =>
    (await localStorage.storeScanData(scan(1, 1_750_000_000))).success,
  "a scan with 20 KB beside it": async ({ services: { localStorage } }) =>
    (await localStorage.storeScanData({ ...scan(1), picture: "p".repeat(20_000) })).success,
  "a scan, while the storage fails": async ({ services: { backend }, failStorage }) => {
    await failStorage(true);
    const { success, error, data } = await backend.storeScanData(scan(1));
    return { success, error: typeof error, data: data ?? "none" };
  },
  "the history, while the storage fails": async ({ services: { localStorage }, failStorage }) => {
    await failStorage(true);
    return outcome(localStorage.getScanHistory());
  },
  "more scans than there is room for": async ({ services: { localStorage } }) => {
    const start = Date.now() - DAY_MS;
    for (const number of range(400)) {
      await localStorage.storeScanData({ ...scan(number, start + number), note: "n".repeat(200) });
    }
    const kept = names(await localStorage.getScanHistory());
    const newest = range(kept.length).map((index) => `${399 - index}`);
    return { fewer: kept.length < 400, many: kept.length > 50, newestKept: kept.join() === newest.join() };
  },
  "limits, with room": async ({ services: { localStorage } }) =>
    names(await localStorage.enforceStorageLimits([scan(1), scan(2)])),
  "limits, with more than there is room for": async ({ services: { localStorage } }) => {
    const given = range(400).map((number) => ({ ...scan(number), note: "n".repeat(200) }));
    return (await localStorage.enforceStorageLimits(given)).length < 400;
  },

  // Damage
  "validation of what is whole": async ({ services: { localStorage } }) => {
    await localStorage.storeScanData(scan(1));
    return localStorage.validateDataIntegrity();
  },
  "validation of a damaged scan among ten": async ({ services: { localStorage }, damage }) => {
    for (const number of range(10)) await localStorage.storeScanData(scan(`scan-${number}`));
    await localStorage.queueForSync({ operation: "kept" });
    await damage("scan-4");
    const whole = await localStorage.validateDataIntegrity();
    const history = await outcome(localStorage.getScanHistory());
    return {
      whole,
      history: typeof history === "string" ? history : history.length,
      again: await localStorage.validateDataIntegrity(),
    };
  },
  "validation, while the storage fails": async ({ services: { localStorage }, failStorage }) => {
    await failStorage(true);
    return outcome(localStorage.validateDataIntegrity());
  },
  "repair of what is whole": async ({ services: { localStorage } }) => {
    await localStorage.storeScanData(scan(1));
    await localStorage.repairCorruptedData();
    return names(await localStorage.getScanHistory());
  },

  // The queue
  "operations are queued in their order": async ({ services: { localStorage } }) => {
    for (const number of range(12)) await localStorage.queueForSync({ operation: "mine", number });
    const queue = await localStorage.getSyncQueue();
    const whole = queue.every(({ id, queuedAt }) => typeof id === "string" && typeof queuedAt === "number");
    return {
      operations: queue.map(({ operation, number }) => [operation, number]),
      whole,
      ids: new Set(queue.map(({ id }) => id)).size,
    };
  },
  "fifty operations, queued at once": async ({ services: { localStorage } }) => {
    await Promise.all(range(50).map((number) => localStorage.queueForSync({ number })));
    return (await localStorage.getSyncQueue()).length;
  },
  "an operation, while the storage fails": async ({ services: { localStorage }, failStorage }) => {
    await failStorage(true);
    return outcome(localStorage.queueForSync({ operation: "mine" }));
  },
  "three failed synchronisations": async ({ services: { cloudSync, localStorage } }) => {
    const results: unknown[] = [];
    for (const _ of range(3)) {
      const { success, error } = await cloudSync.syncToCloud([{ mine: 1 }]);
      results.push([success, typeof error]);
    }
    return { results, connected: cloudSync.isConnected(), queued: (await localStorage.getSyncQueue()).length };
  },

  // Names
  "a code's name": async ({ services: { communityDB } }) => {
    const name = communityDB.hashQRData(link(1));
    return [
      /^sha256_[0-9a-f]+$/.test(name),
      name === communityDB.hashQRData(link(1)),
      name === communityDB.hashQRData(link(2)),
    ];
  },
  "the name of an empty code": async ({ services: { communityDB } }) => communityDB.hashQRData(""),
  "a user's name": async ({ services: { communityDB } }) => {
    const name = communityDB.anonymizeUserId("ada");
    return [/^user_sha256_[0-9a-f]+$/.test(name), name === communityDB.anonymizeUserId("ada"), name.includes("ada")];
  },
  "two codes made to have one name": async ({ services: { communityDB } }) =>
    communityDB.hashQRData(link("Aa")) === communityDB.hashQRData(link("BB")),
  "two spellings of one link": async ({ services: { communityDB } }) =>
    communityDB.hashQRData("https://example.com/") === communityDB.hashQRData("HTTPS://Example.com:443/#top"),
  "ten thousand users": async ({ services: { communityDB } }) =>
    new Set(range(10_000).map((number) => communityDB.anonymizeUserId(`user${number}`))).size,

  // Votes
  "a first vote": async ({ services: { backend, communityDB } }) => {
    const qrHash = communityDB.hashQRData(link("menu"));
    const { data, ...rest } = await backend.submitVote({
      userId: "user_1",
      qrHash,
      vote: "safe",
      timestamp: Date.now(),
    });
    return [answer(rest), numbers(data), data?.qrHash === qrHash];
  },
  "three voters": ({ services }) => cast(services, [{ user: "a" }, { user: "b", vote: "unsafe" }, { user: "c" }]),
  "an old vote weighs less": ({ services }) =>
    cast(services, [
      { user: "a", ago: 15 * DAY_MS },
      { user: "b", vote: "unsafe" },
      { user: "c", ago: 200 * DAY_MS },
    ]),
  "a changed vote": ({ services }) =>
    cast(services, [
      { user: "a", ago: 2_000 },
      { user: "b", ago: 1_000 },
      { user: "a", vote: "unsafe" },
    ]),
  "a vote that is older than the standing one": ({ services }) =>
    cast(services, [{ user: "a" }, { user: "a", vote: "unsafe", ago: DAY_MS }]),
  "votes that are none": async ({ services: { backend, communityDB } }) => {
    const vote = { userId: "user_1", qrHash: communityDB.hashQRData(link(1)), vote: "safe", timestamp: Date.now() };
    const none: any[] = [
      { ...vote, userId: "" },
      { ...vote, qrHash: "" },
      { ...vote, vote: "maybe" },
      { ...vote, timestamp: NaN },
      {},
      null,
    ];
    const answers: unknown[] = [];
    for (const wrong of none) answers.push(answer(await backend.submitVote(wrong)));
    return answers;
  },
  "a vote on a name of the guide's": async ({ services: { backend } }) => {
    const vote = { userId: "user_1", qrHash: "sha256_1a2b3c", vote: "safe", timestamp: Date.now() } as const;
    return (await backend.submitVote(vote)).success;
  },
  "a vote dated a year ahead": ({ services }) =>
    cast(services, [
      { user: "a", vote: "unsafe" },
      { user: "b", ago: -365 * DAY_MS },
    ]),
  "eleven votes in a minute": ({ services }) =>
    cast(
      services,
      range(11).map((on) => ({ user: "a", on })),
    ),
  "eleven votes in a minute, dated otherwise": async ({ services }) =>
    (
      await cast(
        services,
        range(11).map((on) => ({ user: "a", on, ago: (10 - on) * 120_000 })),
      )
    ).at(-1),
  "six votes on one code in a minute": async ({ services }) =>
    (
      await cast(
        services,
        range(6).map((number) => ({ user: "a", ago: 6 - number })),
      )
    ).at(-1),
  "a vote, while the storage fails": async ({ services, failStorage }) => {
    await failStorage(true);
    return cast(services, [{ user: "a" }]);
  },

  // Ratings
  "the rating of a code, and of one that nobody voted on": async ({ services }) => {
    const { backend, communityDB } = services;
    await cast(services, [{ user: "a" }, { user: "b" }]);
    const known = await backend.getCommunityRating(communityDB.hashQRData(link("menu")));
    const unknown = await backend.getCommunityRating(communityDB.hashQRData(link("other")));
    return [
      numbers(known),
      unknown,
      await backend.getCommunityRating("nonsense"),
      await communityDB.getCommunityRating(""),
    ];
  },
  "the rating of a known code, while the storage fails": async ({ services, failStorage }) => {
    await cast(services, [{ user: "a" }]);
    await failStorage(true);
    return numbers(await services.backend.getCommunityRating(services.communityDB.hashQRData(link("menu"))));
  },
  "the rating of an unknown code, while the storage fails": async ({ services, failStorage }) => {
    await failStorage(true);
    return numbers(await services.backend.getCommunityRating(services.communityDB.hashQRData(link("menu"))));
  },
  "how many codes are rated": async ({ services }) => {
    await cast(services, [{ user: "a" }, { user: "b" }, { user: "a", on: 2 }]);
    return services.communityDB.getStatistics().totalRatings;
  },
  "clean-up of a vote that is 40 days old": async ({ services }) => {
    await cast(services, [
      { user: "a", ago: 40 * DAY_MS },
      { user: "b", ago: DAY_MS },
    ]);
    await services.communityDB.cleanupOldData();
    return numbers(await services.backend.getCommunityRating(services.communityDB.hashQRData(link("menu"))));
  },

  // The server
  "the live link, without a server": async ({ services: { webSocket } }) => [
    webSocket.isConnected(),
    await webSocket.connect(),
    webSocket.isConnected(),
  ],

  // Breakers
  "a breaker passes results and errors through": async ({ services: { errorHandling } }) => [
    await errorHandling.executeWithCircuitBreaker("s", async () => 42),
    await errorHandling.executeWithCircuitBreaker("s", () => Promise.reject(new Error("mine"))).catch(String),
  ],
  "a breaker opens after five failures, for its service alone": async ({ services: { errorHandling } }) => {
    let calls = 0;
    const failing = async () => {
      calls += 1;
      throw new Error("mine");
    };
    for (const _ of range(8)) await outcome(errorHandling.executeWithCircuitBreaker("s", failing));
    return [calls, await errorHandling.executeWithCircuitBreaker("other", async () => "made")];
  },

  // The cache
  "the cache gives what was kept, and null for what was not": async ({ services: { cache } }) => {
    cache.set("k", { rating: [1, { x: null }] });
    cache.set("text", "v");
    cache.set("zero", 0);
    return [cache.get("k"), cache.get("text"), cache.get("zero"), cache.get("none")];
  },
  "the cache forgets after its time": async ({ services: { cache }, advance }) => {
    cache.set("short", 1, 1_000);
    cache.set("usual", 2);
    cache.set("zero", 3, 0);
    cache.set("over", 4, -1);
    const now = ["short", "usual", "zero", "over"].map((key) => cache.get(key));
    await advance(2_000);
    const later = ["short", "usual", "zero"].map((key) => cache.get(key));
    await advance(300_000);
    return [now, later, ["usual", "zero"].map((key) => cache.get(key))];
  },
  "a full cache, one of whose values is renewed": async ({ services: { cache } }) => {
    for (const number of range(1_000)) cache.set(`k${number}`, number);
    cache.set("k999", "renewed");
    return [cache.get("k0"), cache.get("k999")];
  },
  "a full cache, one of whose values is often read": async ({ services: { cache } }) => {
    for (const number of range(1_000)) cache.set(`k${number}`, number);
    for (const _ of range(10)) cache.get("k0");
    for (const number of range(100)) cache.set(`more${number}`, number);
    return cache.get("k0");
  },
  "a cached object that is changed afterwards": async ({ services: { cache } }) => {
    const value = { votes: 1 };
    cache.set("k", value);
    value.votes = 2;
    return cache.get("k");
  },
  "a cached value that JSON cannot say": async ({ services: { cache } }) => {
    cache.set("k", "before");
    cache.set("k", () => 1);
    return typeof cache.get("k");
  },

  // Health
  "health at the first start": async ({ services: { backend } }) => {
    await backend.initialize();
    return backend.getSystemHealth();
  },
};
