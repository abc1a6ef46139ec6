// Puts test files, or other programs of build/, into one script that the host program of jsi/ runs, and that Hermes could.
//
//   node scripts/bundle-for-jsi.mjs tests OUT       all tests that need nothing of Node: *.test.js, but not *.node.test.js
//   node scripts/bundle-for-jsi.mjs FILE OUT        a program, as FILE in build/
import { readdirSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const built = join(here, "build");
const [program, out] = process.argv.slice(2);

const isShared = (name) => name.endsWith(".test.js") && !name.endsWith(".node.test.js");
const tests = readdirSync(join(built, "test")).filter(isShared).map((name) => `./test/${name}`);
const imports = ["./test/jsi/globals.js", ...(program === "tests" ? tests : [`./${program}`])];
const lines = imports.map((file) => `import "${file}";`);
if (program === "tests") lines.push('import { main } from "./test/jsi/lives.js";', "main();");

const jsi = (name) => join(built, "test/jsi", `${name}.js`);
const stands = {
    "node:assert/strict": jsi("assert"),
    "node:test": jsi("test"),
    "react-native": jsi("react-native"),
    [join(built, "test/support/lives.js")]: jsi("lives"),
    [join(built, "test/support/overwrite.js")]: jsi("overwrite"),
};
for (const name of ["fs", "os", "path", "url", "process"]) stands[`node:${name}`] = jsi("node");

/** Node's modules and React Native itself are stood in for; this package's modules are React Native's, not Node's. */
const reactNative = {
    name: "react-native",
    setup({ onResolve }) {
        onResolve({ filter: /^(node:|react-native$)/ }, ({ path }) =>
            stands[path] ? { path: stands[path] } : { errors: [{ text: `${path} has no stand-in in test/jsi` }] },
        );
        onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
            const file = resolve(resolveDir, path);
            return { path: stands[file] ?? file.replace(join(built, "src") + sep, join(built, "react-native") + sep) };
        });
    },
};

await build({
    stdin: { contents: lines.join("\n"), resolveDir: built },
    outfile: resolve(out),
    bundle: true,
    format: "iife",
    target: "es2020",
    // Hermes has none of these; in an app Babel writes them in other words.
    supported: { "async-generator": false, "for-await": false },
    charset: "utf8",
    conditions: ["react-native"],
    // Files are found from the place of the tests, whichever file asks.
    define: { "import.meta.url": JSON.stringify(`file://${join(built, "test/bundle.js")}`) },
    plugins: [reactNative],
    logLevel: "warning",
});
