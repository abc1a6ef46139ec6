import { now } from "./calls.js";
import { text } from "./checks.js";
import * as native from "./generated/index.js";

/**
 * The name under which a code is rated: SHA-256 of its canonical form, as 64 hexadecimal digits. Codes that differ only
 * in how a web link is written (case of the host, default port, fragment) share it.
 *
 * A hash is not anonymity: whoever has a list of links can hash them all and compare.
 */
export function hashQrData(code: string): native.QrHash {
  return now(() => native.hashQrData(text("text", code)));
}

/** What a code holds, told from its text alone. */
export function classifyQr(code: string): native.QrKind {
  return now(() => native.classifyQr(text("text", code)));
}

/**
 * The canonical form of a code's text: for web links the one that browsers use, without the fragment; for others the
 * text without surrounding white space.
 */
export function canonicalQr(code: string): string {
  return now(() => native.canonicalQr(text("text", code)));
}

/** The version of the native library. */
export function coreVersion(): string {
  return native.coreVersion();
}

/**
 * The hash of a code that has been checked.
 * @internal
 */
export function hashOf(code: native.CodeRef): native.QrHash {
  return code.tag === native.CodeRef_Tags.Hash ? code.inner.qrHash : native.hashQrData(code.inner.text);
}
