import assert from "node:assert/strict";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import test from "node:test";

import { canonicalQr, classifyQr, coreVersion, hashQrData, SafeScan, type SafeScanConfig } from "react-native-safescan";

import { fails, first, newCore, newDirectory } from "./support/harness.js";

const MIB = 1024 * 1024;
const HIGH = "\ud83d"; // the first half of a surrogate pair
const now = Date.now();
/** What no compiler would let pass, but JavaScript does. */
const wrong = (value: unknown): any => value;

type Call = (core: SafeScan) => unknown;
const refused: [name: string, reason: string, call: Call][] = [
  ["an empty code", "text is empty", (core) => core.scans.record("")],
  ["a code that is too long", "text is longer than 4296 characters", (core) => core.scans.record("1".repeat(4_297))],
  ["a code with NUL", "text contains a NUL", (core) => core.scans.record("a\0b")],
  [
    "a code with half a surrogate pair",
    "scan.text contains an unpaired surrogate",
    (core) => core.scans.record(`a${HIGH}`),
  ],
  ["no code", "scan.text is not a string", (core) => core.scans.record(wrong(undefined))],
  ["null for a code", "scan.text is not a string", (core) => core.scans.record(wrong(null))],
  ["a number for a code", "scan.text is not a string", (core) => core.scans.record(wrong(42))],
  ["an object for a code", "scan.text is not a string", (core) => core.scans.record(wrong({ toString: () => "x" }))],
  ["metadata with half a pair", "scan.metadata contains", (core) => core.scans.record("x", { metadata: HIGH })],
  [
    "metadata that is too long",
    "metadata is longer",
    (core) => core.scans.record("x", { metadata: "m".repeat(16 * 1024 + 1) }),
  ],
  [
    "an unknown verdict",
    "scan.verdict is not one of Unknown, Safe",
    (core) => core.scans.record("x", { verdict: wrong("Bogus") }),
  ],
  [
    "an inherited name for a verdict",
    "verdict is not one of",
    (core) => core.scans.record("x", { verdict: wrong("toString") }),
  ],
  ["a negative time", "scanned_at is not between", (core) => core.scans.record("x", { scannedAt: -1 })],
  [
    "seconds for milliseconds",
    "scanned_at is not between",
    (core) => core.scans.record("x", { scannedAt: 1_700_000_000 }),
  ],
  [
    "a time in the year 5000",
    "scanned_at is not between",
    (core) => core.scans.record("x", { scannedAt: 95_617_584_000_000 }),
  ],
  [
    "a fraction of a millisecond",
    "scannedAt is not a whole number",
    (core) => core.scans.record("x", { scannedAt: now + 0.5 }),
  ],
  ["NaN for a time", "scannedAt is not a whole number", (core) => core.scans.record("x", { scannedAt: NaN })],
  ["an endless time", "scannedAt is not a whole number", (core) => core.scans.record("x", { scannedAt: Infinity })],
  ["a time beyond 2^53", "scannedAt is not a whole number", (core) => core.scans.record("x", { scannedAt: 2 ** 60 })],
  [
    "a bigint for a time",
    "scannedAt is not a whole number",
    (core) => core.scans.record("x", { scannedAt: wrong(1n) }),
  ],
  [
    "one bad scan of two",
    "scans[1].text is not",
    (core) => core.scans.recordMany([{ text: "good" }, { text: wrong(null) }]),
  ],
  ["no list of scans", "scans is not an array", (core) => core.scans.recordMany(wrong({ length: 1 }))],
  ["a hole in a list", "scans[0] is not an object", (core) => core.scans.recordMany(Array(1))],
  ["too many scans", "is longer than 10000 items", (core) => core.scans.recordMany(Array(10_001).fill({ text: "x" }))],
  ["a page of more than 500", "limit is not between 1 and 500", (core) => core.scans.history({ limit: 501 })],
  ["an empty page", "limit is not between 1 and 500", (core) => core.scans.history({ limit: 0 })],
  ["a negative page", "query.limit is not between 0", (core) => core.scans.history({ limit: -1 })],
  ["a page of 2^32 + 1", "query.limit is not between 0", (core) => core.scans.history({ limit: 2 ** 32 + 1 })],
  ["half a page", "query.limit is not a whole number", (core) => core.scans.history({ limit: 0.5 })],
  ["a page of NaN", "query.limit is not a whole number", (core) => core.scans.history({ limit: NaN })],
  ["a text for a limit", "query.limit is not a whole number", (core) => core.scans.history({ limit: wrong("50") })],
  [
    "an unknown verdict in a filter",
    "query.verdict is not one of",
    (core) => core.scans.history({ verdict: wrong("Bogus") }),
  ],
  [
    "an unknown kind in a filter",
    "query.kind is not one of",
    (core) => core.scans.history({ kind: wrong("web_link") }),
  ],
  ["a cursor that is none", "cursor", (core) => core.scans.history({ cursor: "nonsense" })],
  ["a text for a query", "query is not an object", (core) => core.scans.history(wrong("https://example.com/"))],
  ["an id that is none", "scan_id is not 16 hexadecimal digits", (core) => core.scans.get("nonsense")],
  ["a hash that is none", "qr_hash is not 64 hexadecimal", (core) => core.ratings.get({ type: "Hash", qrHash: "ab" })],
  ["no code to rate", "code is neither", (core) => core.ratings.get(wrong(undefined))],
  ["a code of another type", "code is neither", (core) => core.ratings.get(wrong({ type: "Url", text: "x" }))],
  ["a code without its text", "code.text is not a string", (core) => core.ratings.get(wrong({ type: "Text" }))],
  [
    "an unknown choice",
    "vote.choice is not one of Safe, Unsafe",
    (core) => core.votes.submit("https://a.example", wrong("Maybe")),
  ],
  ["no choice", "vote.choice is not one of", (core) => core.votes.submit("https://a.example", wrong(undefined))],
  [
    "a vote from the future",
    "voted_at",
    (core) => core.votes.submit("https://a.example", "Safe", { votedAt: now + 600_000 }),
  ],
  ["half a surrogate pair for a user", "userId", (core) => core.votes.retract("https://a.example", { userId: HIGH })],
  ["a reputation of NaN", "weight is not a finite number", (core) => core.votes.setReputation(NaN)],
  ["a negative reputation", "weight is not between 0 and 10", (core) => core.votes.setReputation(-1)],
  ["a key that is too long", "key is longer than 1024 bytes", (core) => core.kv.set("k".repeat(1_025), "value")],
  ["an empty key", "key is empty", (core) => core.kv.set("", "value")],
  ["a key with NUL", "key contains a NUL", (core) => core.kv.set("a\0b", "value")],
  ["a key with half a pair", "key contains an unpaired surrogate", (core) => core.kv.set(HIGH, "value")],
  [
    "a value that is too long",
    "value is longer than 16777216 bytes",
    (core) => core.kv.set("key", "v".repeat(16 * MIB + 1)),
  ],
  ["a value with half a pair", "value contains an unpaired surrogate", (core) => core.kv.set("key", HIGH)],
  ["null for a value", "value is not a string", (core) => core.kv.set("key", wrong(null))],
  [
    "an object for a value",
    "pairs[0].value is not a string",
    (core) => core.kv.multiSet([{ key: "k", value: wrong({}) }]),
  ],
  ["a merge with no object", "is not a JSON object", (core) => core.kv.merge([{ key: "key", value: "[1]" }])],
  [
    "a text for a setting",
    "update.autoSync is not a boolean",
    (core) => core.settings.update({ autoSync: wrong("yes") }),
  ],
  ["negative days", "scanRetentionDays is not between", (core) => core.settings.update({ scanRetentionDays: -1 })],
  ["a lifetime of NaN", "ttlMs is not a whole number", (core) => core.cache.set("key", "value", NaN)],
  ["a lifetime of 0", "ttl_ms is not between 1", (core) => core.cache.set("key", "value", 0)],
  ["half a pair in the cache", "value contains", (core) => core.cache.set("key", HIGH)],
  ["an unknown pressure", "level is not one of", (core) => core.memoryPressure(wrong("Extreme"))],
  ["a listener that is no function", "listener is not a function", (core) => core.on("*", wrong({ onEvent() {} }))],
  ["no type of event", "type is not a string", (core) => core.on(wrong(undefined), () => {})],
  ["a log sink that is no function", "callback is not a function", (core) => core.setLogSink("Info", wrong({}))],
  ["no code to watch", "code is neither", (core) => first(core.ratings.watch(wrong(undefined)))],
  [
    "a hash to watch that is none",
    "qr_hash is not",
    (core) => first(core.ratings.watch({ type: "Hash", qrHash: "ab" })),
  ],
  ["a relative path for an export", "path is not an absolute path", (core) => core.storage.exportTo("export.jsonl")],
  ["half a pair in a pure function", "text contains an unpaired surrogate", () => hashQrData(HIGH)],
  ["an empty code in a pure function", "text is empty", () => classifyQr("")],
];

test("what cannot be taken is InvalidInput by name, changes nothing, and the next call works", async (t) => {
  const { core } = await newCore(t);
  await core.scans.record("before", { scannedAt: now });
  await core.kv.set("key", "before");
  const before = [
    await core.statistics(),
    await core.settings.get(),
    await core.scans.history(),
    await core.kv.get("key"),
  ];
  for (const [name, reason, call] of refused) {
    await t.test(name, async () => {
      const error = await fails("InvalidInput", reason, () => call(core));
      assert.equal(error.name, "SafeScanError");
      assert.ok(!/nonsense|Bogus|\ud83d/u.test(error.message), "a reason holds no content");
      const after = [
        await core.statistics(),
        await core.settings.get(),
        await core.scans.history(),
        await core.kv.get("key"),
      ];
      assert.deepEqual(after, before);
    });
  }
  const scan = await core.scans.record("after");
  assert.deepEqual(await core.scans.get(scan.id), scan);
});

const SERVER = { baseUrl: "https://api.example" };
const badConfigurations: [name: string, reason: string, config: Partial<Record<keyof SafeScanConfig, unknown>>][] = [
  ["no directory", "config.directory is not a string", { directory: undefined }],
  ["a relative directory", "directory is not an absolute path", { directory: "data" }],
  ["a directory with NUL", "directory", { directory: "/tmp/a\0b" }],
  ["a directory with half a pair", "config.directory contains", { directory: `/tmp/${HIGH}` }],
  ["a short identity key", "identity_key", { identityKey: new Uint8Array(16) }],
  ["a text for an identity key", "config.identityKey is not a Uint8Array", { identityKey: "0".repeat(32) }],
  ["a quota of NaN", "config.maxStorage is not a whole number", { maxStorage: NaN }],
  ["a quota that is too small", "max_storage is not between", { maxStorage: 1 }],
  ["a threshold of NaN", "config.cleanupThreshold is not a finite number", { cleanupThreshold: NaN }],
  ["negative votes", "config.votesPerMinute is not between 0", { votesPerMinute: -1 }],
  ["an unknown kind", "config.votableKinds[0] is not one of", { votableKinds: ["Bogus"] }],
  ["a private kind", "votable_kinds", { votableKinds: ["Wifi"] }],
  ["a server without URL", "config.sync.baseUrl is not a string", { sync: {} }],
  ["a server without encryption", "base_url is not https", { sync: { baseUrl: "http://api.example" } }],
  [
    "a text for a root",
    "config.sync.trustedRoots[0] is not a Uint8Array",
    { sync: { ...SERVER, trustedRoots: ["PEM"] } },
  ],
  ["a root that is none", "trusted_roots holds one", { sync: { ...SERVER, trustedRoots: [Uint8Array.of(1)] } }],
  ["a pin that is none", "pinned_keys holds one", { sync: { ...SERVER, pinnedKeys: ["key"] } }],
];

test("a configuration that cannot be taken is InvalidInput by name", async (t) => {
  const directory = newDirectory(t);
  for (const [name, reason, config] of badConfigurations) {
    const whole = { directory, ...config } as SafeScanConfig;
    await t.test(name, async () => void (await fails("InvalidInput", reason, () => SafeScan.open(whole))));
  }
  const file = join(directory, "file");
  writeFileSync(file, "");
  await fails("InvalidInput", "directory is a file", () => SafeScan.open({ directory: file }));
  await fails("InvalidInput", "config is not an object", () => SafeScan.open(wrong(undefined)));
  await newCore(t, { directory });
});

test("any well-formed text survives", async (t) => {
  const { core } = await newCore(t);
  const texts = [
    "\ufeffwith a byte order mark",
    "👩‍👩‍👧‍👦 عربى 語",
    "\ud83d\ude00",
    "a\u0301 is not á",
    "\u200b",
    "x".repeat(4_296),
  ];
  for (const text of texts) {
    const scan = await core.scans.record(text, { metadata: text });
    assert.deepEqual([scan.text, scan.metadata], [text, text]);
    await core.kv.set(text.slice(0, 250), text);
    assert.equal(await core.kv.get(text.slice(0, 250)), text);
  }
  await core.kv.set("zero", "a\0b");
  assert.equal(await core.kv.get("zero"), "a\0b");
  const large = "v".repeat(16 * MIB);
  await core.kv.set("large", large);
  assert.ok((await core.kv.get("large")) === large);
});

test("null and undefined both mean that an optional field is not given", async (t) => {
  const { core } = await newCore(t);
  const scan = await core.scans.record("x", { verdict: undefined, metadata: wrong(null), scannedAt: undefined });
  assert.deepEqual([scan.verdict, scan.metadata], ["Unknown", undefined]);
  const page = await core.scans.history({ limit: undefined, cursor: wrong(null), verdict: wrong(null) });
  assert.deepEqual(page.scans, [scan]);
});

test("the pure functions", () => {
  assert.equal(classifyQr("https://example.com"), "WebLink");
  assert.equal(canonicalQr("HTTPS://EXAMPLE.com:443/#top"), "https://example.com/");
  assert.equal(hashQrData("https://example.com/"), hashQrData("HTTPS://EXAMPLE.com:443/#top"));
  assert.match(hashQrData("x"), /^[0-9a-f]{64}$/);
  assert.match(coreVersion(), /^\d+\.\d+\.\d+/);
});
