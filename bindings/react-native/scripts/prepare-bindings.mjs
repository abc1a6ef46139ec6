// Puts the generated code and the native library where this package's sources, and apps, look for them: src/generated and
// build/src/generated for Node, cpp, android, ios and turbo-module for phones. They come from the folder that
// SAFESCAN_BINDINGS names (relative to the checkout's top).
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { forNode, forPhones, runtimeHeader } from "./rewritings.mjs";

const here = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const checkout = resolve(here, "../..");
const bindings = resolve(checkout, process.env.SAFESCAN_BINDINGS ?? "target/bindings/ship");
const library = `libsafescan_core.${process.platform === "darwin" ? "dylib" : "so"}`;

for (const part of ["node/index.ts", "react-native/cpp/safe-scan.cpp", `lib/${library}`]) {
    if (existsSync(join(bindings, part))) continue;
    console.error(`error: no generated bindings in ${bindings}: run scripts/bindings, or set SAFESCAN_BINDINGS`);
    process.exit(1);
}

rmSync(join(here, "build"), { recursive: true, force: true });
for (const [name, rewrite] of Object.entries(forNode)) {
    place(join("src/generated", name), rewrite(read(join(bindings, "node", name))));
}
for (const [name, rewrite] of Object.entries(forPhones)) {
    place(name, rewrite(read(join(bindings, "react-native", name))));
}
// The generator's C++ headers travel with the package: an app need not find the generator, nor pods of its own.
const generator = join(here, "node_modules/@ubjs/core");
for (const name of readdirSync(join(generator, "cpp/includes"))) {
    place(join("cpp/runtime", name), runtimeHeader(name)(read(join(generator, "cpp/includes", name))));
}
place("cpp/runtime/LICENSE", read(join(generator, "LICENSE")));

// Node's library is looked for beside the compiled code.
mkdirSync(join(here, "build/src/generated"), { recursive: true });
symlinkSync(join(bindings, "lib", library), join(here, "build/src/generated", library));

function read(file) {
    return readFileSync(file, "utf8");
}

/** Writes a file, unless it has this content: compilers go by its time. */
function place(name, content) {
    const file = join(here, name);
    if (existsSync(file) && read(file) === content) return;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
}
