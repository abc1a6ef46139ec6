// What the tests use of Node's `assert/strict`.
import type { AssertPredicate } from "node:assert";

class AssertionError extends Error {
  override readonly name = "AssertionError";
}

function check(condition: unknown, message: string | Error | undefined, otherwise: () => string): asserts condition {
  if (!condition) throw message instanceof Error ? message : new AssertionError(message ?? otherwise());
}

function ok(value: unknown, message?: string): asserts value {
  check(value, message, () => `${show(value)} is not true`);
}

function equal(actual: unknown, expected: unknown, message?: string): void {
  check(Object.is(actual, expected), message, () => `${show(actual)} is not ${show(expected)}`);
}

function deepEqual(actual: unknown, expected: unknown, message?: string): void {
  check(same(actual, expected), message, () => `${show(actual)} does not equal ${show(expected)}`);
}

function notEqual(actual: unknown, unwanted: unknown, message?: string): void {
  check(!Object.is(actual, unwanted), message, () => `${show(actual)} is what it should not be`);
}

function notDeepEqual(actual: unknown, unwanted: unknown, message?: string): void {
  check(!same(actual, unwanted), message, () => `${show(actual)} is what it should not be`);
}

function match(text: string, pattern: RegExp, message?: string): void {
  check(pattern.test(text), message, () => `${show(text)} does not match ${String(pattern)}`);
}

function fail(message = "failed"): never {
  throw new AssertionError(message);
}

function throws(call: () => unknown, ...wanted: [(AssertPredicate | string)?, string?]): void {
  let thrown: { error: unknown } | undefined;
  try {
    call();
  } catch (error) {
    thrown = { error };
  }
  failedAs(thrown, wanted);
}

async function rejects(
  call: PromiseLike<unknown> | (() => PromiseLike<unknown>),
  ...wanted: [(AssertPredicate | string)?, string?]
): Promise<void> {
  let thrown: { error: unknown } | undefined;
  try {
    await (typeof call === "function" ? call() : call);
  } catch (error) {
    thrown = { error };
  }
  failedAs(thrown, wanted);
}

function failedAs(thrown: { error: unknown } | undefined, wanted: [(AssertPredicate | string)?, string?]): void {
  const message = wanted.find((part) => typeof part === "string");
  const expected = wanted.find((part) => typeof part !== "string");
  check(thrown, message, () => "nothing was thrown");
  if (expected !== undefined) check(fits(thrown.error, expected), message, () => `${show(thrown.error)} was thrown`);
}

function fits(error: unknown, expected: AssertPredicate): boolean {
  if (expected instanceof RegExp) return expected.test(String(error));
  if (typeof expected === "function") {
    return expected.prototype !== undefined && error instanceof expected ? true : (expected as Function)(error) === true;
  }
  const names = expected instanceof Error ? ["name", "message", ...Object.keys(expected)] : Object.keys(expected);
  return names.every((name) => {
    const [is, wanted] = [error, expected].map((holder) => (holder as Record<string, unknown>)[name]);
    return wanted instanceof RegExp ? wanted.test(String(is)) : same(is, wanted);
  });
}

function same(actual: unknown, expected: unknown): boolean {
  if (Object.is(actual, expected)) return true;
  if (typeof actual !== "object" || typeof expected !== "object" || actual === null || expected === null) return false;
  if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) return false;
  if (actual instanceof Set) {
    const others = expected as Set<unknown>;
    return actual.size === others.size && [...actual].every((item) => others.has(item));
  }
  if (actual instanceof Map) return same([...actual], [...(expected as Map<unknown, unknown>)]);
  if (actual instanceof Error && actual.message !== (expected as Error).message) return false;
  const names = Object.keys(actual);
  if (names.length !== Object.keys(expected).length) return false;
  return names.every(
    (name) => Object.hasOwn(expected, name) && same(actual[name as never], expected[name as never]),
  );
}

function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  const text = JSON.stringify(value, (_, part: unknown) => (part instanceof Set ? [...part] : part)) ?? String(value);
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}

export default Object.assign(ok, { ok, equal, deepEqual, notEqual, notDeepEqual, match, fail, throws, rejects });
