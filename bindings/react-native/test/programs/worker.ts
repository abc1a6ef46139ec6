// Records its share of scans in the core that the test has open in another thread.
import { parentPort, workerData } from "node:worker_threads";

import { SafeScan, SafeScanError } from "react-native-safescan";

const { directory, worker, scans } = workerData as { directory: string; worker: number; scans: number };

const core = await SafeScan.open({ directory });
for (let number = 0; number < scans; number += 1) await core.scans.record(`https://example.com/${worker}/${number}`);

// Callbacks are the main thread's: a worker must be refused, not break them.
let refusal = "none";
try {
  core.setLogSink("Warn", () => {});
} catch (error) {
  refusal = error instanceof SafeScanError ? error.type : String(error);
}
parentPort?.postMessage(refusal);
