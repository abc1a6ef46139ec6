import { once } from "node:events";
import test, { type TestContext } from "node:test";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

import { newDirectory } from "./harness.js";

/**
 * A test in two lives of the JavaScript side. When `before` has returned, all JavaScript of the first life ends as it is, with
 * whatever is under way; the process, and with it the core, lives on. `after` is the second life.
 *
 * In Node the first life is a worker thread of this same `file`, which therefore has no other tests; and it ends only after
 * the second. Node's runtime waits for ever for a thread that ended while it was being called.
 */
export function lives(
  file: string,
  name: string,
  before: (directory: string) => Promise<void>,
  after: (t: TestContext, directory: string) => Promise<void>,
): void {
  if (!isMainThread) {
    const life = workerData as { name: string; directory: string };
    if (life.name === name) void before(life.directory).then(() => parentPort?.postMessage("over"));
    return;
  }
  test(name, async (t) => {
    const directory = newDirectory(t);
    const life = new Worker(new URL(file), { workerData: { name, directory } });
    await once(life, "message");
    try {
      await after(t, directory);
    } finally {
      await life.terminate();
    }
  });
}
