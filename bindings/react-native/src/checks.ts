// What is checked before a value crosses to the native library. The generated converters trust their types, and the
// border knows no `undefined`, no halves of surrogate pairs and no fractions: they would arrive as other values.
// Limits are the core's business, not checked here.
import { invalid } from "./errors.js";
import { isWellFormed } from "./host.js";

/** Gives `value` back in the form the generated code wants, or throws `InvalidInput` with the field's name. */
export type Check<T> = (field: string, value: unknown) => T;

export const text: Check<string> = (field, value) => {
  if (typeof value !== "string") throw invalid(field, "is not a string");
  if (!isWellFormed(value)) throw invalid(field, "contains an unpaired surrogate");
  return value;
};

export const flag: Check<boolean> = (field, value) => {
  if (typeof value !== "boolean") throw invalid(field, "is not a boolean");
  return value;
};

/** A number of things, or of milliseconds. */
export const count: Check<number> = (field, value) => {
  if (!Number.isInteger(value)) throw invalid(field, "is not a whole number");
  const number = value as number;
  if (number < 0 || number > 0xffff_ffff) throw invalid(field, "is not between 0 and 4294967295");
  return number;
};

/** A time in milliseconds since 1970, or a number of bytes. */
export const integer: Check<number> = (field, value) => {
  if (!Number.isSafeInteger(value)) throw invalid(field, "is not a whole number");
  return value as number;
};

export const finite: Check<number> = (field, value) => {
  if (!Number.isFinite(value)) throw invalid(field, "is not a finite number");
  return value as number;
};

export const bytes: Check<ArrayBuffer> = (field, value) => {
  if (!(value instanceof Uint8Array)) throw invalid(field, "is not a Uint8Array");
  // A copy: a Buffer's own bytes lie somewhere in a larger pool.
  return Uint8Array.from(value).buffer;
};

/** One of the names of a generated enum. */
export const oneOf =
  <T extends string>(names: Readonly<Record<string, T>>): Check<T> =>
  (field, value) => {
    const name = Object.values(names).find((name) => name === value);
    if (name === undefined) throw invalid(field, `is not one of ${Object.values(names).join(", ")}`);
    return name;
  };

/** `null` and `undefined` both mean that nothing is given. */
export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (field, value) =>
    value === undefined || value === null ? undefined : check(field, value);

export const listOf =
  <T>(check: Check<T>): Check<T[]> =>
  (field, value) => {
    if (!Array.isArray(value)) throw invalid(field, "is not an array");
    return Array.from(value, (item, index) => check(`${field}[${index}]`, item));
  };

/** A generated record, with its defaults for what is not given. */
export const record =
  <T>(factory: { defaults(): Partial<T> }, fields: { [Name in keyof T]-?: Check<T[Name]> }): Check<T> =>
  (field, value) => {
    if (typeof value !== "object" || value === null) throw invalid(field, "is not an object");
    const given = value as Record<string, unknown>;
    const defaults = factory.defaults() as Record<string, unknown>;
    const checked: Record<string, unknown> = {};
    for (const [name, check] of Object.entries<Check<unknown>>(fields)) {
      checked[name] = check(`${field}.${name}`, given[name] ?? defaults[name]);
    }
    return checked as T;
  };
