import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { SafeScan } from "react-native-safescan";

import { fails, newCore } from "./support/harness.js";

const program = (name: string): string => fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url));

test("a newer version's database is left untouched", async (t) => {
  const { core, config } = await newCore(t);
  await core.scans.record("https://example.com/");
  await core.shutdown();
  const file = join(config.directory, "safescan.db");
  const database = readFileSync(file);
  database.writeUInt32BE(9_999, 60);
  writeFileSync(file, database);
  await fails("StorageIncompatible", /./, () => SafeScan.open(config));
  assert.ok(readFileSync(file).equals(database));
});

test("a second process is refused, and let in after the first has closed", async (t) => {
  const { core, config } = await newCore(t);
  assert.match(await output(program("opener"), config.directory), /^StorageUnavailable: .*process/);
  await core.kv.set("key", "value");
  await core.shutdown();
  assert.equal(await output(program("opener"), config.directory), "opened");
});

async function output(file: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const chunk of child.stdout) text += String(chunk);
  return text.trim();
}
