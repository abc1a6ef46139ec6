import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { newDirectory } from "./support/harness.js";
import { contains, play, type Scenario } from "./support/scenario.js";

const folder = resolve(fileURLToPath(import.meta.url), "../../../../scenarios");
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));

test("there are scenarios", () => assert.ok(files.length > 0, `${folder} has none`));

for (const file of files) {
  const scenario = JSON.parse(readFileSync(join(folder, file), "utf8")) as Scenario;
  test(`${file}: ${scenario.name}`, (t) => play(scenario, newDirectory(t)));
}

test("the runner notices what is not as expected", async (t) => {
  contains({ a: [1, { b: undefined }], c: 0.5 }, { a: [1, { b: null }], c: { $approx: 0.5 + 1e-10 } }, "it");
  contains({ text: "abc" }, { text: { $length: 3 } }, "it");
  for (const expected of [
    { a: 2 },
    { a: null },
    { b: "$any" },
    { a: [1] },
    { a: { $approx: 1.1 } },
    { a: { $length: 1 } },
  ]) {
    assert.throws(() => contains({ a: 1 }, expected, "it"), `${JSON.stringify(expected)} was overlooked`);
  }
  const wrong = [
    { call: "classifyQr", args: { text: "x" }, expect: "WebLink" },
    { call: "classifyQr", args: { text: "x" }, error: "InvalidInput" },
    { call: "classifyQr", args: { text: "" } },
    { call: "classifyQr", args: { text: "" }, error: "InvalidInput", reason: "too long" },
    { call: "classifyQr", args: { text: "" }, error: "Internal" },
    { call: "noSuchCall" },
    { call: "kvGet", args: { name: "x" } },
  ];
  for (const step of wrong) {
    const scenario = { name: "wrong", steps: [step] };
    await assert.rejects(play(scenario, newDirectory(t)), `${JSON.stringify(step)} was overlooked`);
  }
});
