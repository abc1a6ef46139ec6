// The names of codes and users: `sha256_` and `user_` before what the core computes.
import { owner } from "../connection.js";
import { hashQrData } from "../functions.js";

const CODE = "sha256_";
const USER = "user_";
/** Of a text that cannot be a code (empty, too long, half a character): nobody can vote on it. */
const NO_CODE = `${CODE}0`;

/** The name under which a code's votes are kept. */
export function nameOfCode(qrData: string): string {
  try {
    return CODE + hashQrData(qrData);
  } catch {
    return NO_CODE;
  }
}

/** The core's hash in a code's name; nothing if it is none, as the short ones of the guide, which many codes share. */
export function hashOf(qrHash: unknown): string | undefined {
  const hash = typeof qrHash === "string" && qrHash.startsWith(CODE) ? qrHash.slice(CODE.length) : qrHash;
  return typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash) ? hash : undefined;
}

/** A name for a user that is the same every time. The core makes it anonymous, with its key, when a vote is cast. */
export function nameOfUser(userId: string): string {
  // As JSON, any id is a text that can be hashed, and no two are one.
  return USER + nameOfCode(JSON.stringify(userId));
}

/** Whether it is a user's name at all. */
export function isUser(userId: unknown): userId is string {
  return typeof userId === "string" && userId !== "" && userId !== USER + NO_CODE;
}

/** The user for the core: nothing for the device's owner. */
export function voterOf(userId: string): string | undefined {
  const own = owner();
  return own !== undefined && [own, nameOfUser(own)].includes(userId) ? undefined : userId;
}
