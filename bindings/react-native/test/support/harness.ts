import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

import {
  type OpenOptions,
  SafeScan,
  type SafeScanConfig,
  SafeScanError,
  type SafeScanErrorType,
} from "react-native-safescan";

import * as native from "../../src/generated/index.js";
import * as input from "../../src/inputs.js";

const undosOf = new WeakMap<TestContext, (() => unknown)[]>();

/**
 * Undoes something after the test. What was done last is undone first (the test runner's own hooks go the other
 * way): a directory is removed when nobody writes to it any more.
 */
export function afterwards(t: TestContext, undo: () => unknown): void {
  const known = undosOf.get(t);
  if (known !== undefined) {
    known.push(undo);
    return;
  }
  const undos = [undo];
  undosOf.set(t, undos);
  t.after(async () => {
    for (let next = undos.pop(); next !== undefined; next = undos.pop()) await next();
  });
}

/** A new, empty directory, gone after the test. */
export function newDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "safescan-"));
  afterwards(t, () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A core on files of its own, shut down after the test. */
export async function newCore(
  t: TestContext,
  config: Partial<SafeScanConfig> = {},
  options?: OpenOptions,
): Promise<{ core: SafeScan; config: SafeScanConfig }> {
  const whole = { ...config, directory: config.directory ?? newDirectory(t) };
  const core = await SafeScan.open(whole, options);
  afterwards(t, () => core.shutdown());
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
    const page = await core.scans.history({ limit, cursor });
    scans.push(...page.scans);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return scans;
}

/** The first thing that a loop gets; the loop is left. */
export async function first<T>(loop: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of loop) return item;
  return undefined;
}

/** A loop that runs by itself and notes what it gets. */
export interface Collected<T> {
  readonly seen: readonly T[];
  /** Everything, once the loop has ended. */
  readonly all: Promise<T[]>;
  /** Waits until something that was seen, or will be, is as wanted. */
  until(wanted: (item: T, seen: readonly T[]) => boolean): Promise<T>;
}

/** Runs a loop from this moment on. */
export function collected<T>(loop: AsyncIterable<T>): Collected<T> {
  const seen: T[] = [];
  const waiting: (() => void)[] = [];
  let ended = false;
  const lookAgain = (): void => {
    for (const look of waiting.splice(0)) look();
  };
  const all = (async () => {
    try {
      for await (const item of loop) {
        seen.push(item);
        lookAgain();
      }
    } finally {
      ended = true;
      lookAgain();
    }
    return seen;
  })();
  // Who is interested in a failure awaits `all`.
  all.catch(() => {});
  return {
    seen,
    all,
    async until(wanted) {
      for (;;) {
        const found = seen.find((item) => wanted(item, seen));
        if (found !== undefined) return found;
        assert.ok(!ended, "the loop has ended before");
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

/** Numbers from 0 up to but not including `count`. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Waits for what a log sink will do: a sink does not keep Node running, as loops and calls do. */
export async function arrival<T>(promise: Promise<T>): Promise<T> {
  const alive = setInterval(() => {}, 60_000);
  try {
    return await promise;
  } finally {
    clearInterval(alive);
  }
}

/** Makes a call that is aborted after so many milliseconds. */
export async function within<T>(milliseconds: number, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(new Error(`not done after ${milliseconds} ms`)), milliseconds);
  try {
    return await call(aborter.signal);
  } finally {
    clearTimeout(timer);
  }
}
