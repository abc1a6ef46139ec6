import assert from "node:assert/strict";
import { join } from "node:path";

import {
  canonicalQr,
  classifyQr,
  coreVersion,
  hashQrData,
  SafeScan,
  type SafeScanConfig,
  SafeScanError,
} from "react-native-safescan";

import { ask, now } from "../../src/calls.js";
import { listOf } from "../../src/checks.js";
import type * as native from "../../src/generated/index.js";
import * as input from "../../src/inputs.js";
import { union } from "../../src/types.js";
import { hooks, within } from "./harness.js";
import { overwrite } from "./overwrite.js";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Fields = { [name: string]: Json };

export interface Step {
  call: string;
  args?: Fields;
  config?: Fields;
  overwrite?: { find: string; put: string };
  expect?: Json;
  error?: string;
  reason?: string;
  save?: { [name: string]: string };
  repeat?: number;
}

export interface Scenario {
  name: string;
  config?: Fields;
  steps: Step[];
}

/** Calls whose parameters in TypeScript are not simply the named arguments one after another. */
const shaped: Record<string, (core: SafeScan, args: any) => unknown> = {
  recordScan: (core, { scan: { text, ...details } }) => core.scans.record(text, details),
  submitVote: (core, { vote: { code, choice, ...details } }) => core.votes.submit(code, choice, details),
  retractVote: (core, { code, ...voter }) => core.votes.retract(code, voter),
  myVote: (core, { code, ...voter }) => core.votes.mine(code, voter),
  setReputation: (core, { weight, ...voter }) => core.votes.setReputation(weight, voter),
  pendingOperations: (core, query) => core.sync.operations(query),
  hashQrData: (_, { text }) => hashQrData(text),
  classifyQr: (_, { text }) => classifyQr(text),
  canonicalQr: (_, { text }) => canonicalQr(text),
  coreVersion: () => coreVersion(),
};

/** All others: where TypeScript has them, and the names of their arguments in their order. */
const positional: Record<string, [path: string, ...parameters: string[]]> = {
  suspend: ["suspend"],
  resume: ["resume"],
  memoryPressure: ["memoryPressure", "level"],
  shutdown: ["shutdown"],
  health: ["health"],
  statistics: ["statistics"],
  recordScans: ["scans.recordMany", "scans"],
  scan: ["scans.get", "id"],
  scanHistory: ["scans.history", "query"],
  deleteScan: ["scans.delete", "id"],
  clearHistory: ["scans.clear"],
  submitVotes: ["votes.submitMany", "votes"],
  myVotes: ["votes.list", "query"],
  rating: ["ratings.get", "code"],
  ratings: ["ratings.getMany", "codes"],
  cachedRating: ["ratings.cached", "code"],
  syncNow: ["sync.now"],
  runOnce: ["sync.runOnce", "deadlineMs"],
  networkChanged: ["sync.networkChanged", "state"],
  setAuthToken: ["sync.setToken", "token"],
  retryOperation: ["sync.retry", "id"],
  discardOperation: ["sync.discard", "id"],
  kvGet: ["kv.get", "key"],
  kvSet: ["kv.set", "key", "value"],
  kvRemove: ["kv.remove", "key"],
  kvMultiGet: ["kv.multiGet", "keys"],
  kvMultiSet: ["kv.multiSet", "pairs"],
  kvMultiRemove: ["kv.multiRemove", "keys"],
  kvMerge: ["kv.merge", "pairs"],
  kvKeys: ["kv.keys"],
  kvClear: ["kv.clear"],
  cacheGet: ["cache.get", "key"],
  cacheSet: ["cache.set", "key", "value", "ttlMs"],
  cacheRemove: ["cache.remove", "key"],
  cacheClear: ["cache.clear"],
  cacheStatistics: ["cache.statistics"],
  settings: ["settings.get"],
  updateSettings: ["settings.update", "update"],
  storageUsage: ["storage.usage"],
  checkIntegrity: ["storage.checkIntegrity"],
  repair: ["storage.repair"],
  cleanUp: ["storage.cleanUp"],
  exportData: ["storage.exportTo", "path"],
  eraseAllData: ["storage.eraseAll"],
  circuitEnter: ["circuits.enter", "service"],
  circuitReport: ["circuits.report", "service", "permit", "succeeded"],
  circuitState: ["circuits.state", "service"],
};

/** Calls of the core that TypeScript has in another form (`events`, `ratings.watch`) or not at all. */
const ofTheCore: Record<string, (core: native.SafeScan, args: any) => unknown> = {
  // Where an event is missing, the scenario fails instead of waiting for ever.
  nextEvents: (core, { max }) => within(20_000, (signal) => ask(async () => (await core.nextEvents(max)).map(union), { signal })),
  watch: (core, { codes }) => now(() => core.watch(listOf(input.code)("codes", codes))),
  unwatch: (core, { codes }) => now(() => core.unwatch(listOf(input.code)("codes", codes))),
  testAdvanceClock: (core, { millis }) => core.testAdvanceClock(BigInt(millis)),
  testPanic: (core) => core.testPanic(),
  testFailStorage: (core, { fail }) => core.testFailStorage(fail),
};

/** A core in both forms: as apps see it, and as it is below. */
interface Opened {
  readonly core: SafeScan;
  readonly native: native.SafeScan;
}

async function opened(config: SafeScanConfig): Promise<Opened> {
  return { core: await SafeScan.open(config), native: await hooks(config) };
}

/** Plays a scenario in an empty directory. */
export async function play(scenario: Scenario, directory: string): Promise<void> {
  assert.ok(scenario.steps.length > 0, "a scenario without steps");
  const saved = new Map<string, Json>();
  let open = await opened(configOf(scenario.config, directory));
  const take = async (step: Step, args: Fields): Promise<unknown> => {
    if (step.call !== "reopen") return call(open, step.call, args);
    await open.core.shutdown();
    if (step.overwrite) overwrite(join(directory, "safescan.db"), step.overwrite.find, step.overwrite.put);
    open = await opened(configOf(step.config ?? scenario.config, directory));
    return undefined;
  };
  try {
    for (const [number, step] of scenario.steps.entries()) {
      for (let turn = 0; turn < (step.repeat ?? 1); turn += 1) {
        const where = `step ${number + 1} (${step.call}), turn ${turn + 1}`;
        const args = resolved(step.args ?? {}, saved, turn) as Fields;
        const outcome = await outcomeOf(() => take(step, args));
        check(outcome, step, saved, turn, where);
        for (const [name, path] of Object.entries(step.save ?? {})) {
          const part = path.split(".").reduce<any>((value, key) => value?.[key], outcome.result);
          assert.ok(part !== undefined, `${where}: there is no ${path} to save`);
          saved.set(name, part);
        }
      }
    }
  } finally {
    await open.core.shutdown();
  }
}

function configOf(fields: Fields = {}, directory: string): SafeScanConfig {
  const { identityKey, ...others } = fields;
  const key = Array.isArray(identityKey) ? { identityKey: Uint8Array.from(identityKey as number[]) } : {};
  return { ...others, ...key, directory };
}

async function call({ core, native }: Opened, name: string, args: Fields): Promise<unknown> {
  if (shaped[name]) return shaped[name](core, args);
  if (ofTheCore[name]) return ofTheCore[name](native, args);
  assert.ok(positional[name], `no call is named ${name}`);
  const [path, ...parameters] = positional[name];
  for (const given of Object.keys(args)) assert.ok(parameters.includes(given), `${name} has no argument ${given}`);
  const [group, method] = path.includes(".") ? path.split(".") : [undefined, path];
  const holder: any = group === undefined ? core : core[group as keyof SafeScan];
  return holder[method as string](...parameters.map((parameter) => args[parameter]));
}

interface Outcome {
  result?: unknown;
  error?: { type: string; message: string };
}

async function outcomeOf(work: () => unknown): Promise<Outcome> {
  try {
    return { result: await work() };
  } catch (error) {
    if (error instanceof SafeScanError) return { error };
    // A test hook's error has not gone through this package.
    const { tag, inner } = error as { tag?: string; inner?: { reason: string } };
    if (tag === undefined || inner === undefined) throw error;
    return { error: { type: tag, message: inner.reason } };
  }
}

function check(outcome: Outcome, step: Step, saved: Map<string, Json>, turn: number, where: string): void {
  if (step.error !== undefined) {
    assert.ok(outcome.error, `${where}: wanted ${step.error}, but it succeeded`);
    assert.equal(outcome.error.type, step.error, `${where}: ${outcome.error.message}`);
    const reason = step.reason ?? "";
    assert.ok(outcome.error.message.includes(reason), `${where}: "${outcome.error.message}" has no "${reason}"`);
    return;
  }
  assert.ok(!outcome.error, `${where}: ${outcome.error?.type}: ${outcome.error?.message}`);
  if (step.expect !== undefined) contains(outcome.result, resolved(step.expect, saved, turn), where);
}

/** `actual` has everything that `expected` names. */
export function contains(actual: unknown, expected: Json, where: string): void {
  if (expected === null) {
    assert.ok(actual === undefined || actual === null, `${where} is ${show(actual)}, not null`);
  } else if (expected === "$any") {
    assert.ok(actual !== undefined && actual !== null, `${where} is null`);
  } else if (typeof expected === "string" && typeof actual === "object" && actual !== null) {
    // A variant without data of an enum that has some with data.
    assert.deepEqual(actual, { type: expected }, where);
  } else if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual), `${where} is no list`);
    assert.equal(actual.length, expected.length, `${where}: length`);
    for (const [index, item] of expected.entries()) contains(actual[index], item, `${where}[${index}]`);
  } else if (typeof expected === "object") {
    if ("$approx" in expected) {
      const difference = Math.abs((actual as number) - (expected["$approx"] as number));
      assert.ok(difference <= 1e-9, `${where} is ${show(actual)}, not about ${show(expected["$approx"])}`);
    } else if ("$length" in expected) {
      assert.equal((actual as string | unknown[] | undefined)?.length, expected["$length"], `${where}: length`);
    } else {
      assert.ok(typeof actual === "object" && actual !== null, `${where} is ${show(actual)}, no object`);
      for (const [name, item] of Object.entries(expected)) {
        contains((actual as Record<string, unknown>)[name], item, `${where}.${name}`);
      }
    }
  } else {
    assert.equal(actual, expected, `${where} is ${show(actual)}, not ${show(expected)}`);
  }
}

/** With saved names, turns and repetitions put in. */
function resolved(value: Json, saved: ReadonlyMap<string, Json>, turn: number): Json {
  if (typeof value === "string") {
    if (value.startsWith("$") && saved.has(value.slice(1))) return saved.get(value.slice(1)) as Json;
    return value.replaceAll("$i", String(turn));
  }
  if (Array.isArray(value)) return value.map((item) => resolved(item, saved, turn));
  if (typeof value !== "object" || value === null) return value;
  const repeat = value["$repeat"];
  if (Array.isArray(repeat)) return String(repeat[0]).repeat(Number(repeat[1]));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolved(item, saved, turn)]));
}

const show = (value: unknown): string => JSON.stringify(value) ?? "undefined";
