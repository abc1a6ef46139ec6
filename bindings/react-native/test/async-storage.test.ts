import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";

import { SafeScan, SafeScanError } from "react-native-safescan";
import AsyncStorage, {
  AsyncStorageError,
  type AsyncStorageErrorType,
  connect,
  createAsyncStorage,
  keyPrefixOf,
  useAsyncStorage,
} from "react-native-safescan/async-storage";

import { groups } from "./support/async-storage-cases.js";
import { afterwards, newCore, newDirectory, range } from "./support/harness.js";

/** What no compiler would let pass, but JavaScript does. */
const wrong = (value: unknown): any => value;

async function connectedCore(t: TestContext): Promise<SafeScan> {
  const { core } = await newCore(t);
  connect(core);
  afterwards(t, () => connect(undefined));
  return core;
}

async function refuses(type: AsyncStorageErrorType, reason: RegExp, call: () => Promise<unknown>): Promise<Error> {
  const error = await call().then(
    () => assert.fail("it was taken"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof AsyncStorageError, String(error));
  assert.equal(error.type, type, error.message);
  assert.match(error.message, reason);
  assert.equal(error.errorMessage, error.message);
  return error;
}

test("all 35 common behaviours, on the default storage and on one with a name", async (t) => {
  assert.equal(groups.flatMap(([, cases]) => cases).length, 35);
  await connectedCore(t);
  for (const [name, storage] of [
    ["default", AsyncStorage],
    ["with a name", createAsyncStorage("photos")],
  ] as const) {
    for (const [group, cases] of groups) {
      await storage.clear();
      for (const { name: behaviour, call, gives } of cases) {
        await t.test(`${name}: ${group}: ${behaviour}`, async () => assert.deepEqual(await call(storage), gives));
      }
    }
  }
});

test("version 2: items are set, merged and removed, by promise and by callback", async (t) => {
  const core = await connectedCore(t);
  const told: unknown[] = [];
  const tell = (...args: unknown[]) => void told.push(args);

  assert.equal(await AsyncStorage.setItem("user", '{"name":"Ada","tags":{"a":1,"b":2},"list":[1,2]}', tell), undefined);
  await AsyncStorage.mergeItem("user", '{"age":36,"tags":{"b":3},"list":[3]}', tell);
  const merged = '{"name":"Ada","tags":{"a":1,"b":3},"list":[3],"age":36}';
  assert.equal(await AsyncStorage.getItem("user", tell), merged);
  assert.equal(await core.kv.get("user"), merged, "core.kv shows the same data");
  await AsyncStorage.mergeItem("new", '{"x":1}');
  assert.equal(await AsyncStorage.getItem("new"), '{"x":1}', "what is not there is stored as given");
  assert.deepEqual(await AsyncStorage.getAllKeys(tell), ["new", "user"]);
  await AsyncStorage.removeItem("user", tell);
  assert.equal(await AsyncStorage.getItem("user", tell), null);
  await AsyncStorage.removeItem("user");
  await AsyncStorage.clear(tell);
  assert.deepEqual(await AsyncStorage.getAllKeys(), []);
  assert.deepEqual(told, [
    [null, undefined],
    [null, undefined],
    [null, merged],
    [null, ["new", "user"]],
    [null, undefined],
    [null, null],
    [null, undefined],
  ]);
});

test("version 2: batches", async (t) => {
  await connectedCore(t);
  const told: unknown[] = [];
  const tell = (...args: unknown[]) => void told.push(args);
  await AsyncStorage.multiSet(
    [
      ["a", "1"],
      ["b", '{"x":{"y":1}}'],
      ["a", "2"],
    ],
    tell,
  );
  await AsyncStorage.multiMerge(
    [
      ["b", '{"x":{"z":2}}'],
      ["c", "{}"],
    ],
    tell,
  );
  const pairs = [
    ["b", '{"x":{"y":1,"z":2}}'],
    ["none", null],
    ["a", "2"],
    ["b", '{"x":{"y":1,"z":2}}'],
  ];
  const asked = AsyncStorage.multiGet(["b", "none", "a", "b"], tell);
  AsyncStorage.flushGetRequests();
  assert.deepEqual(await asked, pairs, "in the order asked, null for what is not there");
  await AsyncStorage.multiRemove(["a", "none"], tell);
  assert.deepEqual(await AsyncStorage.getAllKeys(), ["b", "c"]);
  await AsyncStorage.multiSet([]);
  assert.deepEqual(told, [
    [null, undefined],
    [null, undefined],
    [null, pairs],
    [null, undefined],
  ]);
});

test("version 2: the hook is bound to one key", async (t) => {
  await connectedCore(t);
  const { getItem, setItem, mergeItem, removeItem } = useAsyncStorage("settings");
  assert.equal(await getItem(), null);
  await setItem('{"dark":true}');
  await mergeItem('{"size":2}');
  assert.equal(await AsyncStorage.getItem("settings"), '{"dark":true,"size":2}');
  await removeItem();
  assert.deepEqual(await AsyncStorage.getAllKeys(), []);
});

test("what cannot be taken is refused by name, to promise and callback, and nothing is changed", async (t) => {
  await connectedCore(t);
  await AsyncStorage.multiSet([
    ["list", "[1]"],
    ["kept", "kept"],
  ]);
  const named = createAsyncStorage("n");
  const cases: [name: string, reason: RegExp, call: (tell?: (error: unknown) => void) => Promise<unknown>][] = [
    ["no key", /^key is not a string$/, (tell) => AsyncStorage.setItem(wrong(undefined), "v", tell)],
    ["a number for a key", /not a string/, (tell) => AsyncStorage.getItem(wrong(1), tell)],
    ["a number for a key of a named storage", /not a string/, () => named.getItem(wrong(1))],
    ["no value", /value is not a string/, (tell) => AsyncStorage.setItem("kept", wrong(undefined), tell)],
    ["null for a value", /value is not a string/, (tell) => AsyncStorage.setItem("kept", wrong(null), tell)],
    ["an object for a value", /value is not a string/, () => named.setMany({ kept: wrong({}) })],
    ["half a character", /unpaired surrogate/, (tell) => AsyncStorage.setItem("kept", "\ud83d", tell)],
    ["half a character for a key", /unpaired surrogate/, () => named.setItem("\ud83d", "v")],
    ["a key that is too long", /longer than 1024 bytes/, (tell) => AsyncStorage.setItem("k".repeat(1_025), "v", tell)],
    ["a key with NUL", /NUL/, (tell) => AsyncStorage.removeItem("a\0b", tell)],
    ["a value that is too long", /longer than 16777216/, () => AsyncStorage.setItem("k", "v".repeat(2 ** 24 + 1))],
    ["a merge of no object", /not a JSON object/, (tell) => AsyncStorage.mergeItem("kept", "[1]", tell)],
    [
      "a merge into no object",
      /stored value is not a JSON object/,
      (tell) => AsyncStorage.mergeItem("list", "{}", tell),
    ],
    [
      "one bad pair of two",
      /value is not a string/,
      () =>
        AsyncStorage.multiSet([
          ["kept", "x"],
          ["k", wrong(null)],
        ]),
    ],
    ["pairs that are none", /pairs\[0\] is not a pair/, () => AsyncStorage.multiSet(wrong(["kept", "x"]))],
    ["no pairs", /pairs is not an array/, () => AsyncStorage.multiMerge(wrong(undefined))],
    ["no keys", /keys is not an array/, () => AsyncStorage.multiGet(wrong("kept"))],
    ["no keys to remove", /keys is not an array/, () => named.removeMany(wrong(null))],
    ["no entries", /entries is not an object/, () => named.setMany(wrong(null))],
  ];
  for (const [name, reason, call] of cases) {
    await t.test(name, async () => {
      let told: unknown;
      const error = await refuses("OtherStorageError", reason, () => call((error) => (told = error)));
      assert.ok(told === undefined || told === error, "the callback gets the same error");
      assert.ok(!error.message.includes("kept"), "no key or value in a message");
    });
  }
  for (const name of [wrong(undefined), "", "\ud83d"]) assert.throws(() => createAsyncStorage(name), AsyncStorageError);
  assert.deepEqual(await AsyncStorage.multiGet(["list", "kept"]), [
    ["list", "[1]"],
    ["kept", "kept"],
  ]);
  assert.deepEqual(await AsyncStorage.getAllKeys(), ["kept", "list"]);
  assert.deepEqual(await named.getAllKeys(), []);
});

test("a batch tells its callback of one error, and a callback that throws rejects the promise", async (t) => {
  await connectedCore(t);
  let told: unknown;
  await assert.rejects(AsyncStorage.multiSet([["k", wrong(null)]], (errors) => (told = errors)));
  assert.ok(Array.isArray(told) && told.length === 1 && told[0] instanceof AsyncStorageError);
  const failure = new Error("of the app");
  await assert.rejects(
    AsyncStorage.setItem("k", "v", () => {
      throw failure;
    }),
    failure,
  );
  assert.equal(await AsyncStorage.getItem("k"), "v");
});

test("storages share nothing but the file", async (t) => {
  const core = await connectedCore(t);
  const names = ["photos", "a/b", "a%2Fb", "a", "/", "ü 🦀", "constructor"];
  const storages = names.map((name) => createAsyncStorage(name));
  const keys = ["k", "", "b/k", "@@storage/", "@@storage/photos/k", "@@storage//k", "__proto__"];
  for (const [index, storage] of storages.entries()) {
    await storage.setMany(Object.fromEntries(keys.map((key) => [key, `${index} ${key}`])));
  }
  await AsyncStorage.setMany(Object.fromEntries(keys.map((key) => [key, `default ${key}`])));
  await core.kv.set("of the app", "plain");
  for (const [index, storage] of storages.entries()) {
    assert.deepEqual((await storage.getAllKeys()).sort(), [...keys].sort(), names[index]);
    for (const key of keys) assert.equal((await storage.getMany([key]))[key], `${index} ${key}`);
  }
  assert.deepEqual((await AsyncStorage.getAllKeys()).sort(), [...keys, "of the app"].sort());
  for (const key of keys) assert.equal(await AsyncStorage.getItem(key), `default ${key}`);

  assert.equal(await core.kv.get(`${keyPrefixOf("a/b")}k`), "1 k", "what is imported under this prefix is found");

  await AsyncStorage.clear();
  assert.deepEqual(await AsyncStorage.getAllKeys(), []);
  await storages[0]?.clear();
  assert.deepEqual(await storages[0]?.getAllKeys(), []);
  for (const storage of storages.slice(1)) assert.equal((await storage.getAllKeys()).length, keys.length);
  assert.equal(await createAsyncStorage("a/b").getItem("k"), "1 k", "two of one name are the same");
});

test("more items than the core takes in one transaction", async (t) => {
  await connectedCore(t);
  const entries = Object.fromEntries(range(20_001).map((index) => [`key ${index}`, `${index}`]));
  await AsyncStorage.setMany(entries);
  assert.deepEqual(await AsyncStorage.getMany(Object.keys(entries)), entries);
  await AsyncStorage.clear();
  assert.deepEqual(await AsyncStorage.getAllKeys(), []);
});

test("calls made before the core is connected wait for it", async (t) => {
  const directory = newDirectory(t);
  const early = [AsyncStorage.setItem("early", "1"), createAsyncStorage("n").setItem("early", "2")];
  connect(() => SafeScan.open({ directory }));
  afterwards(t, () => connect(undefined));
  await Promise.all(early);
  assert.equal(await AsyncStorage.getItem("early"), "1");
  const core = await SafeScan.open({ directory });
  assert.equal(await core.kv.get("early"), "1");
  await core.shutdown();
  const error = await refuses("NativeModuleError", /shut down/, () => AsyncStorage.getItem("early"));
  assert.ok(error.cause instanceof SafeScanError);
});

test("a core that could not be opened is opened again by the next call", async (t) => {
  const { core } = await newCore(t);
  let openings = 0;
  connect(() => {
    openings += 1;
    if (openings < 3) throw new SafeScanError("StorageUnavailable", "the device is locked");
    return core;
  });
  afterwards(t, () => connect(undefined));
  for (const _ of range(2)) await refuses("SqliteStorageError", /locked/, () => AsyncStorage.getItem("k"));
  await AsyncStorage.setItem("k", "v");
  await AsyncStorage.setItem("k", "v");
  assert.equal(openings, 3);
});
