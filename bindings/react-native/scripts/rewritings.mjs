// What the generators cannot be told, is rewritten on the way. Each rewriting must find its place: a new generator that
// writes otherwise stops the build here.

function rewritten(source, pattern, replacement) {
    const result = source.replace(pattern, replacement);
    if (result === source) throw new Error(`the generated code has no ${pattern} any more: see rewritings.mjs`);
    return result;
}

const all =
    (...rewrites) =>
    (source) =>
        rewrites.reduce((rewritten, rewrite) => rewrite(rewritten), source);

// ES modules want whole file names.
const wholeFileNames = (source) => rewritten(source, /(from ["'])\.\/+([\w-]+)(["'])/g, "$1./$2.js$3");

// A decoder of the default kind swallows a byte order mark at the beginning of a text.
const keepByteOrderMarks = (source) =>
    rewritten(source, "new TextDecoder()", 'new TextDecoder("utf-8", { ignoreBOM: true })');

// In React Native apps bring decoders of many kinds and qualities: the C++ side decodes, always.
const decodeNatively = (source) => rewritten(source, 'typeof TextDecoder !== "undefined"', "false");

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

// Copies that the C++ makes for JavaScript are nobody's: each error, and each text that is an argument, would stay in
// memory for ever.
const freeCopies = (source) =>
    rewritten(
        source,
        /std::make_shared<((?:uniffi_jsi::)?CMutableBuffer)>\((?:CMutableBuffer\()?bytes, len\)?\)/,
        "std::shared_ptr<$1>(new $1(bytes, len), [bytes]($1 *buffer) { delete buffer; delete[] bytes; })",
    );

// A header of a library's own is found under its name.
const libraryHeader = (source) => rewritten(source, '"RNSafeScanSpec.h"', "<RNSafeScanSpec/RNSafeScanSpec.h>");

const asItIs = (source) => source;

/** For Node: TypeScript, from the folder `node`. */
export const forNode = {
    "index.ts": wholeFileNames,
    "safescan_core.ts": all(
        wholeFileNames,
        keepByteOrderMarks,
        readableEnums,
        optionalCallbacks,
        callbacksOfMainThread,
    ),
    "safescan_core-ffi.ts": asItIs,
};

/** For React Native: TypeScript, from the folder `react-native/turbo-module`. */
export const forReactNative = {
    "index.ts": wholeFileNames,
    "safescan_core.ts": all(wholeFileNames, decodeNatively, readableEnums, optionalCallbacks),
    "safescan_core-ffi.ts": asItIs,
    "NativeSafeScan.ts": asItIs,
};

/** For phones: what lies in the package as it lies in the folder `react-native`. */
export const forPhones = {
    "turbo-module/NativeSafeScan.ts": asItIs,
    "cpp/safe-scan.h": asItIs,
    "cpp/safe-scan.cpp": asItIs,
    "cpp/generated/safescan_core.hpp": asItIs,
    "cpp/generated/safescan_core.cpp": freeCopies,
    "android/cpp-adapter.cpp": asItIs,
    "android/src/main/java/dev/safescan/reactnative/SafeScanModule.kt": asItIs,
    "android/src/main/java/dev/safescan/reactnative/SafeScanPackage.kt": asItIs,
    "ios/SafeScan.h": libraryHeader,
    "ios/SafeScan.mm": asItIs,
};

/** The C++ headers that the generated C++ includes, from the generator's package. */
export const runtimeHeader = (name) => (name === "UniffiString.h" ? freeCopies : asItIs);
