// What a call costs from TypeScript: median and 99th percentile in microseconds. Runs in Node and in the JSI host.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exit } from "node:process";

import { coreVersion, SafeScan } from "react-native-safescan";

import library from "../src/generated/safescan_core-ffi.js";

const ROUNDS = 1_000;
const WARM_UP = 100;
/** Calls that take less than the clock can tell apart are timed so many at once. */
const AT_ONCE = 100;

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "safescan-"));
  const core = await SafeScan.open({ directory });
  const scans = Array.from({ length: 500 }, (_, number) => ({ text: `https://example.com/${number}` }));
  await core.scans.recordMany(scans);
  await core.votes.submit("https://example.com/0", "Safe");

  // A function of the library that does nothing, called as the host calls any function: what nobody can go below.
  const functions = library() as unknown as Record<string, () => number>;
  const name = "ffi_safescan_core_uniffi_contract_version";
  const nothing = functions[name] ?? functions[`ubrn_${name}`]!;
  await measure("a raw host function", () => nothing());
  await measure("a bare call (coreVersion)", () => coreVersion());
  await measure("from memory (ratings.cached)", () => core.ratings.cached("https://example.com/0"));
  await measureWaiting("ratings.get", () => core.ratings.get("https://example.com/0"));
  await measureWaiting("a page of 50 (scans.history)", () => core.scans.history({ limit: 50 }));
  await measureWaiting("scans.record", (round) => core.scans.record(`https://example.com/new/${round}`));

  await core.shutdown();
  rmSync(directory, { recursive: true });
}

async function measure(name: string, call: () => unknown): Promise<void> {
  await measureWaiting(name, () => {
    for (let time = 0; time < AT_ONCE; time += 1) call();
  }, AT_ONCE);
}

async function measureWaiting(name: string, call: (round: number) => unknown, calls = 1): Promise<void> {
  const times: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const start = performance.now();
    await call(round);
    if (round >= 0) times.push(((performance.now() - start) * 1_000) / calls);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? NaN).toFixed(1);
  console.log(`${name}: median ${at(0.5)} µs, 99th percentile ${at(0.99)} µs`);
}

main().then(
  () => exit(0),
  (error: unknown) => {
    console.error(error);
    exit(1);
  },
);
