// Puts the generated TypeScript and the native library where this package's sources look for them: src/generated and
// build/src/generated. They come from the folder that SAFESCAN_BINDINGS names (relative to the checkout's top).
//
// What the generator cannot be told, is rewritten on the way. Each rewriting must find its place: a new generator that
// writes otherwise stops the build here.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const checkout = resolve(here, "../..");
const bindings = resolve(checkout, process.env.SAFESCAN_BINDINGS ?? "target/bindings/ship");
const library = `libsafescan_core.${process.platform === "darwin" ? "dylib" : "so"}`;

if (!existsSync(join(bindings, "node/index.ts")) || !existsSync(join(bindings, "lib", library))) {
    console.error(`error: no generated bindings in ${bindings}: run scripts/bindings, or set SAFESCAN_BINDINGS`);
    process.exit(1);
}

function rewritten(source, pattern, replacement) {
    const result = source.replace(pattern, replacement);
    if (result === source) throw new Error(`the generated code has no ${pattern} any more: see prepare-bindings.mjs`);
    return result;
}

// Node's ES modules want whole file names.
const wholeFileNames = (source) => rewritten(source, /(from ["']\.\/[\w-]+)(["'])/g, "$1.js$2");

// A decoder of the default kind swallows a byte order mark at the beginning of a text.
const keepByteOrderMarks = (source) =>
    rewritten(source, "new TextDecoder()", 'new TextDecoder("utf-8", { ignoreBOM: true })');

// Enums without data: texts ("Safe") in place of numbers (1), so that they can be read, stored and written as literals.
const readableEnums = (source) =>
    rewritten(source, /export enum (\w+) \{\n([^=}]+?)\n\}/g, (_, name, members) => {
        const texts = members.replace(/^( +)(\w+)(,?)$/gm, '$1$2: "$2"$3');
        return `export const ${name} = {\n${texts}\n} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`;
    });

// The runtime (0.31.0-5) cannot pass an optional callback object that JavaScript implements, only a bare one.
const optionalCallbacks = (source) =>
    rewritten(
        source,
        /(new FfiConverterObjectWithCallbacks\(\w+\));/g,
        "Object.assign($1, { lowerHandle(value) { return this.handleMap.insert(value); } });",
    );

// The table of callbacks is one per process, while every worker thread has its own JavaScript: a worker that replaced the
// main thread's table would leave the library calling into a thread that has ended.
const callbacksOfMainThread = (source) =>
    rewritten(
        rewritten(source, /^( *)(uniffiCallbackInterface\w+\.register\(\);)$/gm, "$1if (isMainThread) $2"),
        "// @ts-nocheck\n",
        '// @ts-nocheck\nimport { isMainThread } from "node:worker_threads";\n',
    );

const files = {
    "index.ts": wholeFileNames,
    "safescan_core.ts": (source) =>
        [wholeFileNames, keepByteOrderMarks, readableEnums, optionalCallbacks, callbacksOfMainThread].reduce(
            (rewritten, rewrite) => rewrite(rewritten),
            source,
        ),
    "safescan_core-ffi.ts": (source) => source,
};

const sources = join(here, "src/generated");
const built = join(here, "build/src/generated");
rmSync(join(here, "build"), { recursive: true, force: true });
mkdirSync(sources, { recursive: true });
mkdirSync(built, { recursive: true });
for (const [name, rewrite] of Object.entries(files)) {
    writeFileSync(join(sources, name), rewrite(readFileSync(join(bindings, "node", name), "utf8")));
}
// The library is looked for beside the compiled code.
symlinkSync(join(bindings, "lib", library), join(built, library));
