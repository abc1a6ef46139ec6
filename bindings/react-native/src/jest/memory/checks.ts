// The core's limits, as far as a test may run into them.
import { invalid } from "./errors.js";

const encoder = new TextEncoder();

export function text(field: string, value: unknown): string {
  if (typeof value !== "string") throw invalid(field, "is not a string");
  if (!value.isWellFormed()) throw invalid(field, "contains an unpaired surrogate");
  return value;
}

/** A key, or a user's or service's name. */
export function name(field: string, value: unknown): string {
  const name = text(field, value);
  if (name === "") throw invalid(field, "is empty");
  if (name.includes("\0")) throw invalid(field, "contains a NUL character");
  return atMost(field, name, 1_024);
}

/** A value of the key-value store or the cache. */
export function content(field: string, value: unknown): string {
  return atMost(field, text(field, value), 16 * 1_024 * 1_024);
}

/** What is kept with a scan. */
export function metadata(field: string, value: unknown): string {
  return atMost(field, text(field, value), 16 * 1_024);
}

export function codeText(field: string, value: unknown): string {
  const code = text(field, value);
  if (code.includes("\0")) throw invalid(field, "contains a NUL character");
  if (code.trim() === "") throw invalid(field, "is empty");
  if (code.length > 4_296 && [...code].length > 4_296) throw invalid(field, "is longer than 4296 characters");
  return code;
}

export function whole(field: string, value: unknown, min: number, max: number): number {
  if (!Number.isSafeInteger(value)) throw invalid(field, "is not a whole number");
  return between(field, value as number, min, max);
}

export function between(field: string, value: unknown, min: number, max: number): number {
  if (!Number.isFinite(value)) throw invalid(field, "is not a finite number");
  const number = value as number;
  if (number < min || number > max) throw invalid(field, `is not between ${min} and ${max}`);
  return number;
}

export function oneOf<T extends string>(field: string, value: unknown, names: Readonly<Record<string, T>>): T {
  const name = Object.values(names).find((name) => name === value);
  if (name === undefined) throw invalid(field, `is not one of ${Object.values(names).join(", ")}`);
  return name;
}

export function flag(field: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw invalid(field, "is not a boolean");
  return value;
}

export function listOf<T>(field: string, value: unknown, check: (field: string, item: unknown) => T): T[] {
  if (!Array.isArray(value)) throw invalid(field, "is not an array");
  if (value.length > 10_000) throw invalid(field, "is longer than 10000 items");
  return Array.from(value, (item, index) => check(`${field}[${index}]`, item));
}

export function object(field: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw invalid(field, "is not an object");
  return value as Readonly<Record<string, unknown>>;
}

/** `null` and `undefined` both mean that nothing is given. */
export function given<T>(value: unknown, check: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : check(value);
}

function atMost(field: string, value: string, bytes: number): string {
  if (value.length * 3 > bytes && encoder.encode(value).length > bytes) {
    throw invalid(field, `is longer than ${bytes} bytes`);
  }
  return value;
}
