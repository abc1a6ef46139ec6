// Packs the package as for npm and looks at what came out: nothing superfluous, nothing missing, and a new app that installs
// it type-checks.
//
//   node scripts/check-package.mjs FOLDER…   (npm packages of React Native, unpacked: for their types)
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const ofReactNative = process.argv.slice(2).map((folder) => resolve(folder));
const manifest = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
const app = mkdtempSync(join(tmpdir(), "safescan-app-"));

/** Every packed file is one of these, and of each there is one. */
const WANTED = [
    /^package\.json$/,
    /^README\.md$/,
    /^SafeScan\.podspec$/,
    /^build\/src\/[\w-]+(\/[\w-]+)*\.(js|d\.ts)$/,
    /^build\/react-native\/[\w-]+(\/[\w-]+)*\.js$/,
    /^turbo-module\/NativeSafeScan\.ts$/,
    /^cpp\/safe-scan\.(h|cpp)$/,
    /^cpp\/generated\/safescan_core\.(hpp|cpp)$/,
    /^cpp\/runtime\/(\w+\.h|LICENSE)$/,
    /^android\/(build\.gradle|CMakeLists\.txt|cpp-adapter\.cpp|src\/main\/AndroidManifest\.xml)$/,
    /^android\/src\/main\/java\/dev\/safescan\/reactnative\/SafeScan(Module|Package)\.kt$/,
    /^ios\/(SafeScan\.(h|mm)|PrivacyInfo\.xcprivacy)$/,
];
/** The core for phones, which a release brings. */
const RELEASED = [/^android\/core\/[\w-]+\/libsafescan_core\.so$/, /^SafeScanCoreFFI\.xcframework\//];

let passed = 0;
let failed = 0;
function check(name, problem) {
    if (problem) failed += 1;
    else passed += 1;
    console.log(problem ? `FAILED ${name}: ${problem}` : `ok ${name}`);
}

const npm = (...args) => execFileSync("npm", args, { cwd: app, encoding: "utf8" });
const first = (names) => names.slice(0, 5).join(", ");

try {
    const [{ filename, files }] = JSON.parse(npm("pack", "--silent", "--json", here));
    const packed = files.map(({ path }) => path);
    const superfluous = packed.filter((file) => ![...WANTED, ...RELEASED].some((pattern) => pattern.test(file)));
    check("nothing superfluous is packed", first(superfluous));
    const missing = WANTED.filter((pattern) => !packed.some((file) => pattern.test(file)));
    check("nothing is missing in the package", first(missing.map(String)));

    const targets = Object.entries(manifest.exports).flatMap(([name, target]) =>
        Object.entries(typeof target === "string" ? { default: target } : target).map(([condition, file]) => [
            `${name} (${condition})`,
            file.replace("./", ""),
        ]),
    );
    check("what is exported is packed", first(targets.filter(([, file]) => !packed.includes(file)).map(([name]) => name)));
    // Jest runs in Node.
    const forNodeOnly = ["./package.json", "./jest"];
    const unreached = Object.entries(manifest.exports)
        .filter(([name, target]) => !forNodeOnly.includes(name) && !target["react-native"]?.startsWith("./build/react-native/"))
        .map(([name]) => name);
    check("what is exported reaches React Native's modules in React Native", first(unreached));

    writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", version: "1.0.0", private: true }));
    const types = ["@types/react@19.2.9", `typescript@${manifest.devDependencies.typescript}`];
    npm("install", "--silent", "--no-audit", "--no-fund", "--prefer-offline", join(app, filename), ...types);
    const lock = JSON.parse(readFileSync(join(app, "package-lock.json"), "utf8")).packages;
    const known = ["", "react-native-safescan", "@ubjs/core", "@types/react", "csstype", "typescript"];
    const more = Object.keys(lock).map((path) => path.replace("node_modules/", "")).filter((name) => !known.includes(name));
    check("an app gets no more with it than the generator's JavaScript", first(more));

    for (const folder of ofReactNative) {
        const link = join(app, "node_modules", JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).name);
        mkdirSync(dirname(link), { recursive: true });
        symlinkSync(folder, link);
    }
    for (const file of ["App.tsx", "tsconfig.json"]) cpSync(join(here, "example", file), join(app, file));
    const fileSystem = join(app, "node_modules/@dr.pogodin/react-native-fs");
    mkdirSync(fileSystem, { recursive: true });
    writeFileSync(join(fileSystem, "index.d.ts"), "export declare const DocumentDirectoryPath: string;\n");
    const compile = (...args) => {
        try {
            execFileSync(process.execPath, [join(app, "node_modules/typescript/bin/tsc"), "--preserveSymlinks", ...args], { cwd: app, encoding: "utf8" });
            return "";
        } catch ({ stdout }) {
            return `\n${stdout}`;
        }
    };
    check("an app with the hooks type-checks", compile("-p", "."));
    writeFileSync(join(app, "App.tsx"), readFileSync(join(app, "App.tsx"), "utf8").replace('submit("Safe")', 'submit("Nice")'));
    check("an app's mistake is found", compile("-p", ".").includes("'\"Nice\"' is not assignable") ? "" : "it is not");
    cpSync(join(app, "node_modules/react-native-safescan/turbo-module/NativeSafeScan.ts"), join(app, "App.tsx"));
    check("the native module's interface type-checks against React Native", compile("-p", "."));
} finally {
    rmSync(app, { recursive: true, force: true });
}
console.log(`${passed} package checks passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
