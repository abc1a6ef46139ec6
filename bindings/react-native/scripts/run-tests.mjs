// Runs the compiled tests with Node's own runner. Fails when a test fails or is skipped, and when there was none. A
// test that cannot be run here says so ("not run: …" as its reason to skip): it is named and counted apart.
//
//   node scripts/run-tests.mjs [PART]          those in files whose name has PART in it
//   node scripts/run-tests.mjs --shared NAMES  those that the JSI host runs as well; writes their names into the file NAMES
import { readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const folder = resolve(dirname(fileURLToPath(import.meta.url)), "../build/test");
const shared = process.argv[2] === "--shared";
const part = shared ? "" : (process.argv[2] ?? "");
const wanted = (name) => name.endsWith(".test.js") && name.includes(part) && !(shared && name.endsWith(".node.test.js"));
const files = readdirSync(folder).filter(wanted);

let passed = 0;
let failed = 0;
const names = [];
const notRun = [];
run({ files: files.map((name) => join(folder, name)), concurrency: 2, timeout: 120_000 })
    .on("test:pass", ({ skip, todo, details, nesting, name }) => {
        if (typeof skip === "string" && skip.startsWith("not run: ")) notRun.push(`${name} (${skip.slice(9)})`);
        else if (skip !== undefined || todo !== undefined) failed += 1;
        else if (details.type !== "suite") {
            passed += 1;
            names.push(`${nesting} ${name}\n`);
        }
    })
    .on("test:fail", () => (failed += 1))
    .compose(new spec())
    .on("end", () => {
        console.log(`${passed} TypeScript tests passed, ${failed} failed or were skipped`);
        for (const test of notRun) console.log(`not run: ${test}`);
        if (shared) writeFileSync(process.argv[3], names.sort().join(""));
        process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
    })
    .pipe(process.stdout);
