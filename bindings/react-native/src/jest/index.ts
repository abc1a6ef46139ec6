/**
 * `react-native-safescan` for tests under Node (Vitest, Jest with ES modules, node:test): the real core where there is
 * a native library for this machine, else a stand-in in memory, which says so once. By an alias from
 * "react-native-safescan" to "react-native-safescan/jest", a whole app is tested on it.
 *
 * ```ts
 * const core = await openTemporary();
 * ```
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type * as Package from "../index.js";

const real = await realCore();

/** Whether this is the real core: tests of files, quotas or a server are for it alone. */
export const isRealCore = real !== undefined;

export const {
  Assessment,
  CircuitOpenError,
  CircuitState,
  HealthCause,
  IdentityKeySource,
  LogLevel,
  MemoryPressure,
  NetworkState,
  OperationKind,
  OperationState,
  ParkedReason,
  QrKind,
  RatingSource,
  SafeScan,
  SafeScanError,
  Service,
  ServiceState,
  SpamRule,
  StoreName,
  Verdict,
  VoteChoice,
  canonicalQr,
  classifyQr,
  coreVersion,
  hashQrData,
} = real ?? (await inMemory());

export type * from "../index.js";
export type SafeScan = Package.SafeScan;
export type SafeScanError = Package.SafeScanError;
export type CircuitOpenError = Package.CircuitOpenError;

/** A core on an empty directory of its own, which goes with the core's `shutdown`. */
export async function openTemporary(
  config: Partial<Package.SafeScanConfig> = {},
  options?: Package.OpenOptions,
): Promise<Package.SafeScan> {
  const directory = config.directory ?? (await mkdtemp(join(tmpdir(), "safescan-")));
  const core = await SafeScan.open({ ...config, directory }, options);
  if (config.directory !== undefined) return core;
  const shutdown = core.shutdown.bind(core);
  core.shutdown = async (options) => {
    await shutdown(options);
    await rm(directory, { recursive: true, force: true });
  };
  return core;
}

async function realCore(): Promise<typeof Package | undefined> {
  try {
    return await import("../index.js");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(
      `react-native-safescan/jest: the native library for ${process.platform}-${process.arch} cannot be loaded, ` +
        `a stand-in in memory takes its place (${reason})`,
    );
    return undefined;
  }
}

async function inMemory(): Promise<typeof Package> {
  return (await import("./memory/index.js")).standIn;
}
