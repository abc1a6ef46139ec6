// React Native's part of what differs between JavaScript engines; see `host.ts`.

// Symbols that its older engines lack: classes of this package name their methods with them.
for (const name of ["asyncIterator", "asyncDispose"] as const) {
  if (Symbol[name] === undefined) Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}

/** There is one JavaScript thread. */
export const mayHaveCallbacks = true;

const LONE_SURROGATE = /[\ud800-\udfff]/u;

export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
