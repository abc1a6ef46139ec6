// What AsyncStorage 3 promises, as its own common tests describe it, in our words: 35 behaviours. Each group begins with
// an empty storage, and each case goes on from the one before.
import type { AsyncStorage } from "react-native-safescan/async-storage";

export interface Case {
  readonly name: string;
  readonly call: (storage: AsyncStorage) => Promise<unknown>;
  /** What the call gives. */
  readonly gives: unknown;
}

const three = { one: "1", two: "2", three: "3" };
const renewed = { one: "I", two: "II", three: "III" };
const names = Object.keys(three);
const five = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, name]));
const large = JSON.stringify(Array(500_000).fill("x"));
const thousand = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`key ${index}`, `value ${index}`]));
const sorted = async (keys: Promise<string[]>) => (await keys).sort();

export const groups: readonly (readonly [group: string, cases: readonly Case[]])[] = [
  [
    "one item",
    [
      { name: "is stored, and nothing is returned", call: (s) => s.setItem("k", "first"), gives: undefined },
      { name: "is read back", call: (s) => s.getItem("k"), gives: "first" },
      { name: "is removed, and nothing is returned", call: (s) => s.removeItem("k"), gives: undefined },
      { name: "is null once removed", call: (s) => s.getItem("k"), gives: null },
      { name: "is stored anew after its removal", call: (s) => s.setItem("k", "second"), gives: undefined },
      { name: "has the value stored anew", call: (s) => s.getItem("k"), gives: "second" },
      { name: "is overwritten", call: (s) => s.setItem("k", "third"), gives: undefined },
      { name: "has the value that overwrote", call: (s) => s.getItem("k"), gives: "third" },
    ],
  ],
  [
    "several items",
    [
      { name: "are stored together", call: (s) => s.setMany(three), gives: undefined },
      { name: "are read together", call: (s) => s.getMany(names), gives: three },
      { name: "two of three are removed", call: (s) => s.removeMany(["one", "two"]), gives: undefined },
      { name: "the third alone has its key left", call: (s) => s.getAllKeys(), gives: ["three"] },
      {
        name: "those removed are null among those read",
        call: (s) => s.getMany(names),
        gives: { one: null, two: null, three: "3" },
      },
      { name: "are stored again, over what is left", call: (s) => s.setMany(three), gives: undefined },
      { name: "are all there again", call: (s) => s.getMany(names), gives: three },
      { name: "are overwritten together", call: (s) => s.setMany(renewed), gives: undefined },
      { name: "have the values that overwrote", call: (s) => s.getMany(names), gives: renewed },
    ],
  ],
  [
    "clearing",
    [
      { name: "an empty storage has no keys", call: (s) => s.getAllKeys(), gives: [] },
      { name: "an item with spaces in its key is stored", call: (s) => s.setItem("a key here", "v"), gives: undefined },
      { name: "its key is listed", call: (s) => s.getAllKeys(), gives: ["a key here"] },
      { name: "a storage with one item is cleared", call: (s) => s.clear(), gives: undefined },
      { name: "the one key is gone", call: (s) => s.getAllKeys(), gives: [] },
      { name: "several items are stored", call: (s) => s.setMany({ x: "1", "y-z": "2", w: "3" }), gives: undefined },
      { name: "all their keys are listed", call: (s) => sorted(s.getAllKeys()), gives: ["w", "x", "y-z"] },
      { name: "a storage with several items is cleared", call: (s) => s.clear(), gives: undefined },
      { name: "all keys are gone", call: (s) => s.getAllKeys(), gives: [] },
    ],
  ],
  [
    "edges",
    [
      { name: "nothing is there to begin with", call: (s) => s.getAllKeys(), gives: [] },
      { name: "removing what is not there is no error", call: (s) => s.removeMany(["no", "none"]), gives: undefined },
      { name: "and makes no keys", call: (s) => s.getAllKeys(), gives: [] },
      { name: "an empty text is stored", call: (s) => s.setItem("empty", ""), gives: undefined },
      { name: "an empty text is read as one, not as null", call: (s) => s.getItem("empty"), gives: "" },
    ],
  ],
  [
    "at once",
    [
      {
        name: "five items stored at the same time are all there",
        call: async (s) => {
          await Promise.all(Object.entries(five).map(([key, value]) => s.setItem(key, value)));
          return s.getMany(Object.keys(five));
        },
        gives: five,
      },
    ],
  ],
  [
    "much",
    [
      {
        name: "a value of two million characters comes back whole",
        call: async (s) => {
          await s.setItem("large", large);
          return (await s.getItem("large")) === large;
        },
        gives: true,
      },
      {
        name: "of a thousand items stored together every key is listed",
        call: async (s) => {
          await s.clear();
          await s.setMany(thousand);
          return sorted(s.getAllKeys());
        },
        gives: Object.keys(thousand).sort(),
      },
      {
        name: "of a thousand items every value is read",
        call: (s) => s.getMany(Object.keys(thousand)),
        gives: thousand,
      },
    ],
  ],
];
