// The TypeScript phone: see demo/README.md at the checkout's top for what a phone does.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { type QrKind, SafeScan, type VoteChoice } from "react-native-safescan";

import { drive } from "./driven-phone.js";
import { bits, say } from "./output.js";

const DAY_MS = 86_400_000;

interface Payload {
  text: string;
  kind: string;
}

async function main(): Promise<void> {
  const payloads = readFileSync(option("payloads"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Payload);
  const now = Number(option("now"));
  const core = await SafeScan.open({ directory: option("directory"), votesPerMinute: 10_000 });

  const recorded = (await core.statistics()).scans;
  for (const [i, { text }] of payloads.entries()) {
    if (i >= recorded) await core.scans.record(text, { scannedAt: now - DAY_MS + i });
    if (i + 1 >= recorded) {
      await vote(core, i, text, now);
      say({ done: i });
    }
  }

  const { pages, wrongKinds } = await lookThrough(core, payloads);
  const votable = [...payloads.entries()].filter(([, { kind }]) => kind === "web_link");
  for (const [i, { text }] of votable) {
    const { safeVotes, unsafeVotes, confidence, lower, upper } = await core.ratings.get(text);
    say({
      rating: i,
      safe: safeVotes,
      unsafe: unsafeVotes,
      confidence: bits(confidence),
      lower: bits(lower),
      upper: bits(upper),
    });
  }
  const { intact } = await core.storage.checkIntegrity();
  await core.shutdown();
  const notVotable = payloads.length - votable.length;
  say({ summary: true, scans: payloads.length, pages, notVotable, wrongKinds, intact, resumedAt: recorded });
}

async function vote(core: SafeScan, i: number, text: string, now: number): Promise<void> {
  const side = (saysUnsafe: boolean): VoteChoice => (saysUnsafe ? "Unsafe" : "Safe");
  const votes = [{ userId: "ada", choice: side(i % 4 === 0), votedAt: now }];
  if (i % 2 === 0) votes.push({ userId: "bob", choice: side(i % 3 === 0), votedAt: now - (i % 40) * DAY_MS });
  if (i % 3 === 0) votes.push({ userId: "cyd", choice: "Safe", votedAt: now - (i % 29) * DAY_MS - 12_345 });
  for (const { choice, ...voter } of votes) {
    const outcome = await core.votes.submit(text, choice, voter);
    if (outcome.type === "NotVotable") return;
  }
  if (i % 14 === 0) await core.votes.retract(text, { userId: "bob" });
}

/** Pages through the history; how many pages it took, and how many kinds were not as the payload says. */
async function lookThrough(
  core: SafeScan,
  payloads: readonly Payload[],
): Promise<{ pages: number; wrongKinds: number }> {
  const expected = payloads.toReversed();
  let [seen, pages, wrongKinds] = [0, 0, 0];
  let cursor: string | undefined;
  do {
    const page = await core.scans.history({ limit: 50, cursor });
    pages += 1;
    for (const scan of page.scans) {
      const payload = expected[seen++];
      if (payload?.text !== scan.text) throw new Error("the history is not in order");
      if (payload.kind !== snakeCase(scan.kind)) wrongKinds += 1;
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  if (seen !== payloads.length) throw new Error("the history is shorter than the payloads");
  return { pages, wrongKinds };
}

const snakeCase = (kind: QrKind): string => kind.replace(/\B[A-Z]/g, "_$&").toLowerCase();

const text = { type: "string" } as const;
const { values: options } = parseArgs({
  options: {
    drive: { type: "boolean", default: false },
    ...{ directory: text, payloads: text, now: text, server: text, identity: text, token: text },
  },
});

function option(name: "directory" | "payloads" | "now" | "server"): string {
  const value = options[name];
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}

const { identity, token } = options;
const begun = options.drive
  ? drive({ directory: option("directory"), server: option("server"), identity, token })
  : main();
await begun.catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
