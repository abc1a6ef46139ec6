// What a call costs from TypeScript: median and 99th percentile in microseconds.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { coreVersion, SafeScan } from "react-native-safescan";

const ROUNDS = 1_000;
const WARM_UP = 100;

const directory = mkdtempSync(join(tmpdir(), "safescan-"));
const core = await SafeScan.open({ directory });
const scans = Array.from({ length: 500 }, (_, number) => ({ text: `https://example.com/${number}` }));
await core.scans.recordMany(scans);
await core.votes.submit("https://example.com/0", "Safe");

await measure("a bare call (coreVersion)", () => coreVersion());
await measure("recordScan", (round) => core.scans.record(`https://example.com/new/${round}`));
await measure("a page of 50 (scanHistory)", () => core.scans.history({ limit: 50 }));
await measure("rating", () => core.ratings.get("https://example.com/0"));

await core.shutdown();
rmSync(directory, { recursive: true });

async function measure(name: string, call: (round: number) => unknown): Promise<void> {
  const times: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const start = process.hrtime.bigint();
    await call(round);
    if (round >= 0) times.push(Number(process.hrtime.bigint() - start) / 1_000);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? NaN).toFixed(1);
  console.log(`${name}: median ${at(0.5)} µs, 99th percentile ${at(0.99)} µs`);
}
