// The reference server, and devices that talk to it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

import type { SafeScan, SafeScanConfig } from "react-native-safescan";

import { afterwards, newCore, newDirectory } from "./harness.js";

/** Real servers ask devices to wait two seconds between runs: tests have better things to do. */
const CONFIG = `
[requests]
min_interval_ms = 20
[auth]
mode = "tokens"
[[auth.tokens]]
token = "token-of-ada"
account = "ada"
`;

/** Starts a server as a process of its own, with these faults, that ends after the test; gives its address. */
export async function newServer(t: TestContext, faults = ""): Promise<string> {
  const program = process.env["SAFESCAN_SERVER"] ?? "";
  try {
    accessSync(program, constants.X_OK);
  } catch {
    assert.fail(
      `SAFESCAN_SERVER ('${program}') names no server. Build one with 'cargo build -p safescan-server', and set it to ` +
        "target/debug/safescan-server with the whole path; scripts/test does both.",
    );
  }
  const directory = newDirectory(t);
  const config = join(directory, "server.toml");
  writeFileSync(config, CONFIG);
  const options = { "--data": join(directory, "data"), "--config": config, "--listen": "127.0.0.1:0", "--faults": faults };
  const server = spawn(program, [...Object.entries(options).flat(), "--log-level", "warn"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  afterwards(t, async () => {
    const gone = once(server, "exit");
    if (server.exitCode === null && server.kill("SIGKILL")) await gone;
  });
  for await (const said of createInterface(server.stdout)) {
    const [, address] = /^listening on (.*)/.exec(said) ?? [];
    assert.ok(address, `the server said '${said}'`);
    return address;
  }
  assert.fail("the server did not start");
}

/** A device of this account's that shares settings, and goes to the server only when it is told to. */
export async function newDevice(
  t: TestContext,
  baseUrl: string,
  account: string,
): Promise<{ core: SafeScan; config: SafeScanConfig }> {
  const sync = { baseUrl, shareSettings: true, onlyWhenAsked: true, allowPlainLoopback: true };
  const device = await newCore(t, { sync });
  await device.core.sync.setToken(`token-of-${account}`);
  return device;
}
