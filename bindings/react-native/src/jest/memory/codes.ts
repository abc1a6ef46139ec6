// Kinds, canonical forms and hashes of codes: enough for tests. The core knows many more spellings and schemes.
import { createHash } from "node:crypto";

import type { QrHash, QrKind } from "../../generated/index.js";
import type { Code } from "../../types.js";
import { codeText, text } from "./checks.js";
import { invalid } from "./errors.js";

const KINDS: readonly (readonly [beginning: RegExp, kind: QrKind])[] = [
  [/^wifi:/i, "Wifi"],
  [/^(mecard:|bizcard:|begin:vcard)/i, "Contact"],
  [/^otpauth/i, "Otp"],
  [/^(mailto:|matmsg:|smtp:)/i, "Email"],
  [/^(sms|mms)(to)?:/i, "Sms"],
  [/^tel:/i, "Phone"],
  [/^geo:/i, "Location"],
  [/^begin:v(calendar|event|todo)/i, "Calendar"],
  [/^(bitcoin|ethereum|lightning|upi|payto):/i, "Payment"],
  [/^\d{8}(\d{4,6})?$/, "Product"],
  [/^(javascript|data):/i, "Text"],
  [/^[a-z][a-z0-9+.-]+:\/\/\S/i, "AppLink"],
];

export function kindOf(code: string): QrKind {
  const trimmed = code.trim();
  if (link(trimmed)) return "WebLink";
  return KINDS.find(([beginning]) => beginning.test(trimmed))?.[1] ?? "Text";
}

export function canonical(code: string): string {
  return link(code.trim())?.href ?? code.trim();
}

export function hash(code: string): QrHash {
  return createHash("sha256").update(canonical(code)).digest("hex");
}

export interface Reference {
  readonly hash: QrHash;
  /** Not known of a hash. */
  readonly kind: QrKind | undefined;
}

export function referenceOf(field: string, code: Code): Reference {
  const given = Object(code) as { type?: unknown; text?: unknown; qrHash?: unknown };
  if (typeof code === "string" || given.type === "Text") {
    const scanned = codeText(typeof code === "string" ? field : `${field}.text`, given.text ?? code);
    return { hash: hash(scanned), kind: kindOf(scanned) };
  }
  if (given.type !== "Hash") throw invalid(field, "is neither a string nor of type Text or Hash");
  const qrHash = text(`${field}.qrHash`, given.qrHash);
  if (!/^[0-9a-f]{64}$/.test(qrHash)) throw invalid("qr_hash", "is not 64 hexadecimal digits");
  return { hash: qrHash, kind: undefined };
}

function link(trimmed: string): URL | undefined {
  const address = /^www\./i.test(trimmed) ? `http://${trimmed}` : trimmed;
  if (!/^https?:/i.test(address) || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  url.hash = "";
  return url;
}
