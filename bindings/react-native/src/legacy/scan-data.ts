import type { Scan, Verdict } from "../generated/index.js";
import type { NewScan } from "../types.js";
import type { UserScanData } from "./types.js";

// What fields are called in one app or another, the likeliest first: as the import of old histories reads them.
const TEXT_FIELDS = ["qrData", "data", "text", "content", "value", "url"] as const;
const VERDICT_FIELDS = ["verdict", "safetyStatus", "safety", "status", "result"] as const;
const VERDICTS = new Map<string, Verdict>([
  ["safe", "Safe"],
  ["trusted", "Safe"],
  ["suspicious", "Suspicious"],
  ["warning", "Suspicious"],
  ["caution", "Suspicious"],
  ["unsafe", "Unsafe"],
  ["dangerous", "Unsafe"],
  ["danger", "Unsafe"],
  ["malicious", "Unsafe"],
]);

/** The scan to be recorded: the app's own object goes with it whole, as JSON. */
export function toScan(data: UserScanData): NewScan {
  return {
    // What is missing, the core names.
    text: firstText(data, TEXT_FIELDS) as string,
    scannedAt: Math.trunc(data.timestamp),
    verdict: verdictOf(data),
    metadata: JSON.stringify(data),
  };
}

/** The app's own object; for a scan that was recorded without one, the core's fields under the usual names. */
export function fromScan({ id, text, verdict, scannedAt, metadata }: Scan): UserScanData {
  const own = parsed(metadata);
  if (own && firstText(own, TEXT_FIELDS) === text) return { timestamp: scannedAt, ...own };
  return { id, qrData: text, verdict: verdict.toLowerCase(), timestamp: scannedAt };
}

type Fields = Readonly<Record<string, unknown>>;

function verdictOf(data: Fields): Verdict | undefined {
  if (typeof data["isSafe"] === "boolean") return data["isSafe"] ? "Safe" : "Unsafe";
  return VERDICTS.get(firstText(data, VERDICT_FIELDS)?.toLowerCase() ?? "");
}

function firstText(data: Fields, fields: readonly string[]): string | undefined {
  return fields.map((field) => data[field]).find((value) => typeof value === "string");
}

function parsed(metadata: string | undefined): Fields | undefined {
  try {
    const value: unknown = JSON.parse(metadata ?? "null");
    return typeof value === "object" ? ((value as Fields | null) ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}
