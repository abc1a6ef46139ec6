// Makes build/react-native out of build/src: the same modules, except that the generated ones reach the native library
// through React Native's JavaScript interface, and that `host` is React Native's. `exports` gives it to React Native.
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import ts from "typescript";

import { forReactNative } from "./rewritings.mjs";

const here = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const bindings = resolve(here, "../..", process.env.SAFESCAN_BINDINGS ?? "target/bindings/ship");
const [from, to] = [join(here, "build/src"), join(here, "build/react-native")];

rmSync(to, { recursive: true, force: true });
const own = (file) => !file.endsWith(".d.ts") && ![join(from, "generated"), join(from, "jest")].includes(file);
cpSync(from, to, { recursive: true, filter: own });
renameSync(join(to, "host.react-native.js"), join(to, "host.js"));

const generated = join(to, "generated");
mkdirSync(generated);
const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, verbatimModuleSyntax: true };
for (const [name, rewrite] of Object.entries(forReactNative)) {
    const source = rewrite(readFileSync(join(bindings, "react-native/turbo-module", name), "utf8"));
    const { outputText } = ts.transpileModule(source, { compilerOptions, fileName: name });
    writeFileSync(join(generated, name.replace(".ts", ".js")), outputText);
}

// What only Node has, must not have come along.
for (const file of readdirSync(to, { recursive: true })) {
    const found = file.endsWith(".js") && /from ["'](node:[^"']+|@ubjs\/node)["']/.exec(readFileSync(join(to, file), "utf8"));
    if (found) throw new Error(`${file} imports ${found[1]}, which React Native has not`);
}
