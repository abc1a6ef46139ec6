import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { newDirectory } from "./support/harness.js";

test("a program that has stopped listening ends, though its core is open", async (t) => {
  const program = fileURLToPath(new URL("./programs/listener.js", import.meta.url));
  const child = spawn(process.execPath, [program, newDirectory(t)], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const chunk of child.stdout) text += String(chunk);
  assert.equal(text, "KeyValueChanged\n");
});
