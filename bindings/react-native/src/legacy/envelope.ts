import type { DatabaseResponse } from "./types.js";

export function succeeded<T>(data: T): DatabaseResponse<T> {
  return { success: true, data, timestamp: Date.now() };
}

export function failed<T>(error: string): DatabaseResponse<T> {
  return { success: false, error, timestamp: Date.now() };
}

/** The text of whatever was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
