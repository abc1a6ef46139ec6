// The guide's own services and this package's, driven through the same calls. Needs the guide: see support/seed.ts.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { SafeScan } from "react-native-safescan";
import {
  BackendInfrastructureService,
  CacheService,
  CloudSyncService,
  CommunityDatabaseService,
  connect,
  ErrorHandlingService,
  LocalStorageService,
  type UserScanData,
  type Vote,
  WebSocketService,
} from "react-native-safescan/legacy";
import ts from "typescript";

import { afterwards, hooks, newDirectory } from "./support/harness.js";
import { FakeAsyncStorage, Guide, guidePath, QUOTA, seedServices, withoutGuide } from "./support/seed.js";
import { cases, type World } from "./support/seed-cases.js";
import { differences } from "./support/seed-differences.js";

const LINK = "https://example.com/menu";

test("the guide's services and these give the same, but for what is listed", { skip: withoutGuide }, async (t) => {
  const guide = new Guide(guidePath);
  t.mock.method(console, "error", () => {});
  for (const listed of Object.keys(differences)) assert.ok(cases[listed], `no case is named "${listed}"`);
  for (const [name, run] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const theirs = (await run(seedWorld(guide))) ?? "nothing";
      const ours = (await run(await world(t))) ?? "nothing";
      const listed = differences[name];
      if (!listed) return assert.deepEqual(ours, theirs, "they differ, and it is not listed");
      assert.ok(listed.reason.length > 20, "a difference without a reason");
      assert.deepEqual(theirs, listed.guide, "the guide gives something else than is listed");
      assert.deepEqual(ours, listed.here, "the package gives something else than is listed");
      assert.notDeepEqual(ours, theirs, "they no longer differ");
    });
  }
});

test("the guide's own examples compile and run, and its types are these", { skip: withoutGuide }, async (t) => {
  const { services } = await world(t);
  const qrHash = services.communityDB.hashQRData(LINK);
  const guide = new Guide(guidePath);
  const source = `
    import type { CommunityRating as Rating, UserScanData, Vote as OurVote } from "react-native-safescan/legacy";
    type Vote = OurVote;
    const useEffect = (effect: () => void, _dependencies: unknown[]): void => effect();
    ${guide.block("const initializeBackend").replace("./services", "react-native-safescan/legacy")}
    ${guide.block("// Store scan data")}
    export { storeScan, submitVote, getRating };
    namespace TheirTypes {
      ${guide.block("interface CommunityRating").replace(/^interface/gm, "export interface")}
    }
    type Same<One, Other> = [One, Other] extends [Other, One] ? true : never;
    export const same: [Same<TheirTypes.Vote, OurVote>, Same<TheirTypes.CommunityRating, Rating>] = [true, true];`;
  // Inside this package, whose name is to be found; gone afterwards.
  const directory = resolve(fileURLToPath(import.meta.url), `../../guide-${process.pid}`);
  mkdirSync(directory);
  afterwards(t, () => rmSync(directory, { recursive: true }));
  const file = join(directory, "examples.ts");
  writeFileSync(file, source);
  const program = ts.createProgram([file], {
    strict: true,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    types: ["node"],
    module: ts.ModuleKind.NodeNext,
    skipLibCheck: true,
  });
  const emitted = program.emit();
  const problems = [...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics];
  assert.equal(
    ts.formatDiagnostics(problems, {
      getCanonicalFileName: String,
      getCurrentDirectory: () => directory,
      getNewLine: () => "\n",
    }),
    "",
  );

  const lines: string[] = [];
  t.mock.method(console, "log", (line: string) => void lines.push(line));
  t.mock.method(console, "error", (line: string) => void lines.push(`error: ${line}`));
  const examples = (await import(pathToFileURL(join(directory, "examples.js")).href)) as {
    storeScan(data: UserScanData): Promise<void>;
    submitVote(vote: Vote): Promise<void>;
    getRating(qrHash: string): Promise<void>;
  };
  await examples.storeScan({ qrData: LINK, timestamp: Date.now() });
  await examples.submitVote({ userId: "user_1", qrHash, vote: "safe", timestamp: Date.now() });
  await examples.getRating(qrHash);
  assert.deepEqual(lines, [
    "Backend infrastructure ready",
    "Scan stored successfully",
    "Vote submitted, new rating:",
    "Community confidence: 100.0%",
  ]);
});

function seedWorld(guide: Guide): World {
  const storage = new FakeAsyncStorage();
  let ahead = 0;
  return {
    services: seedServices(guide, { AsyncStorage: storage, Date: { now: () => Date.now() + ahead } }),
    failStorage: async (failing) => void (storage.failing = failing),
    advance: async (millis) => void (ahead += millis),
    // One byte, as there: the whole document can no longer be read.
    damage: async (text) => {
      const key = "@safe_scan_history";
      storage.items.set(
        key,
        (storage.items.get(key) ?? "").replace(`"https://example.com/${text}`, `https://example.com/${text}`),
      );
    },
  };
}

async function world(t: TestContext): Promise<World> {
  const config = { directory: newDirectory(t), maxStorage: QUOTA };
  let core = await SafeScan.open(config);
  connect(core);
  afterwards(t, async () => {
    connect(undefined);
    await core.shutdown();
  });
  return {
    services: {
      backend: BackendInfrastructureService.getInstance(),
      localStorage: LocalStorageService.getInstance(),
      communityDB: CommunityDatabaseService.getInstance(),
      cloudSync: CloudSyncService.getInstance(),
      webSocket: WebSocketService.getInstance(),
      cache: CacheService.getInstance(),
      errorHandling: ErrorHandlingService.getInstance(),
    },
    failStorage: async (failing) => (await hooks(config)).testFailStorage(failing),
    advance: async (millis) => (await hooks(config)).testAdvanceClock(BigInt(millis)),
    damage: async (text) => {
      await core.shutdown();
      const file = join(config.directory, "safescan.db");
      const bytes = readFileSync(file);
      const place = bytes.indexOf(`https://example.com/${text}`);
      assert.ok(place > 0, "the scan is not in the file");
      bytes[place] = 0x78;
      writeFileSync(file, bytes);
      core = await SafeScan.open(config);
      connect(core);
    },
  };
}
