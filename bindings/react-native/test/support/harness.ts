import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

import { SafeScan, type SafeScanConfig, SafeScanError, type SafeScanErrorType } from "react-native-safescan";

import * as native from "../../src/generated/index.js";
import * as input from "../../src/inputs.js";

/** A new, empty directory, gone after the test. */
export function newDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "safescan-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A core on files of its own, shut down after the test. */
export async function newCore(
  t: TestContext,
  config: Partial<SafeScanConfig> = {},
): Promise<{ core: SafeScan; config: SafeScanConfig }> {
  const whole = { ...config, directory: config.directory ?? newDirectory(t) };
  const core = await SafeScan.open(whole);
  t.after(() => core.shutdown());
  return { core, config: whole };
}

/** The test hooks of the core that is open with this configuration. */
export async function hooks(config: SafeScanConfig): Promise<native.SafeScan> {
  return (await native.SafeScan.open(input.config("config", config))) as native.SafeScan;
}

/** The call fails with this error; gives the error back. */
export async function fails(
  type: SafeScanErrorType,
  reason: string | RegExp,
  call: () => unknown,
): Promise<SafeScanError> {
  let error: unknown;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof SafeScanError, `wanted ${type}, got ${String(error)}`);
  assert.equal(error.type, type, error.message);
  if (typeof reason === "string") assert.ok(error.message.includes(reason), `"${error.message}" has no "${reason}"`);
  else assert.match(error.message, reason);
  return error;
}

/** Everything in the history, newest first, read in pages. */
export async function wholeHistory(core: SafeScan, limit = 500): Promise<native.Scan[]> {
  const scans: native.Scan[] = [];
  let cursor: string | undefined;
  do {
    const page = await core.scanHistory({ limit, cursor });
    scans.push(...page.scans);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return scans;
}

/** Numbers from 0 up to but not including `count`. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Waits for what a listener will do: listeners do not keep Node running, as loops and calls do. */
export async function arrival<T>(promise: Promise<T>): Promise<T> {
  const alive = setInterval(() => {}, 60_000);
  try {
    return await promise;
  } finally {
    clearInterval(alive);
  }
}
