import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { SafeScan } from "react-native-safescan";

import { newDirectory, range, wholeHistory } from "./support/harness.js";

const WRITER = fileURLToPath(new URL("./programs/writer.js", import.meta.url));
const LANES = 4;
const KILLS_A_LANE = 25;

// Half of the kills come with an acknowledgement, and half at a moment of its own in the writes that follow.
for (const lane of range(LANES)) {
  test(`no acknowledged write is lost in ${KILLS_A_LANE} kills, seed ${lane}`, { concurrency: true }, async (t) => {
    const directory = newDirectory(t);
    const random = generator(lane);
    const acknowledged = new Set<string>();
    for (const round of range(KILLS_A_LANE)) {
      const lines = await killedWriter(directory, String(round), 1 + random(30), random(2) * random(4_000));
      for (const line of lines) acknowledged.add(line);

      await using core = await SafeScan.open({ directory });
      for (const line of lines) {
        const [what = "", name = ""] = line.split(" ");
        const found = what === "scan" ? await core.scans.get(name) : await core.kv.get(name);
        assert.ok(found !== undefined, `round ${round}: a ${what} is lost`);
      }
      assert.equal((await core.storage.checkIntegrity()).intact, true);
    }

    await using core = await SafeScan.open({ directory });
    const kept = new Set((await wholeHistory(core)).map((scan) => `scan ${scan.id}`));
    for (const key of await core.kv.keys()) kept.add(`key ${key}`);
    for (const line of acknowledged) assert.ok(kept.has(line), "an acknowledged write of an earlier round is lost");
    assert.ok(kept.size <= acknowledged.size + KILLS_A_LANE, "at most the write at work may be kept unacknowledged");
    const { scans, kvEntries } = await core.statistics();
    assert.equal(scans + kvEntries, kept.size);
  });
}

/** Lets a process write until it has acknowledged so many writes, and kills it so many microseconds later. */
async function killedWriter(directory: string, round: string, writes: number, delay: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, directory, round], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("exit", (_, signal) => resolve(signal)));
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    // What comes after the kill was acknowledged before it; only a last line may be torn.
    if (/^(scan [0-9a-f]{16}|key \d+\/\d+)$/.test(line)) lines.push(line);
    if (lines.length === writes) {
      const until = process.hrtime.bigint() + BigInt(delay) * 1_000n;
      while (process.hrtime.bigint() < until);
      child.kill("SIGKILL");
    }
  }
  assert.equal(await ended, "SIGKILL");
  assert.ok(lines.length >= writes);
  return lines;
}

/** Whole numbers from 0 up to but not including a bound, the same ones for the same seed (xorshift). */
function generator(seed: number): (bound: number) => number {
  let state = (seed + 1) * 0x9e37_79b1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
