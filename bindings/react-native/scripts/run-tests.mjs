// Runs the compiled tests with Node's own runner. Fails when a test fails or is skipped, and when there was none.
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const folder = resolve(dirname(fileURLToPath(import.meta.url)), "../build/test");
const wanted = process.argv[2] ?? "";
const files = readdirSync(folder).filter((name) => name.endsWith(".test.js") && name.includes(wanted));

let passed = 0;
let failed = 0;
run({ files: files.map((name) => join(folder, name)), concurrency: 2, timeout: 120_000 })
    .on("test:pass", ({ skip, todo, details }) => {
        if (skip !== undefined || todo !== undefined) failed += 1;
        else if (details.type !== "suite") passed += 1;
    })
    .on("test:fail", () => (failed += 1))
    .compose(new spec())
    .on("end", () => {
        console.log(`${passed} TypeScript tests passed, ${failed} failed or were skipped`);
        process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
    })
    .pipe(process.stdout);
