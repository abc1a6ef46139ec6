// The values that go to the native library, field by field. A field that the core gains and this file lacks is a compile
// error.
import { type Check, bytes, count, finite, flag, integer, listOf, oneOf, optional, record, text } from "./checks.js";
import { invalid } from "./errors.js";
import * as native from "./generated/index.js";

const syncConfig = record(native.SyncConfig, {
  baseUrl: text,
  shareScans: flag,
  shareSettings: flag,
  onlyWhenAsked: flag,
  allowPlainLoopback: flag,
  trustedRoots: optional(listOf(bytes)),
  pinnedKeys: optional(listOf(text)),
});

export const config = record(native.SafeScanConfig, {
  directory: text,
  identityKey: optional(bytes),
  unlinkableVotes: flag,
  votableKinds: optional(listOf(oneOf(native.QrKind))),
  maxStorage: optional(integer),
  cleanupThreshold: optional(finite),
  votesPerMinute: optional(count),
  cacheCapacity: optional(count),
  cacheTtlMs: optional(count),
  sync: optional(syncConfig),
});

export const newScan = record(native.NewScan, {
  text,
  verdict: optional(oneOf(native.Verdict)),
  scannedAt: optional(integer),
  metadata: optional(text),
});

export const scanQuery = record(native.ScanQuery, {
  limit: count,
  cursor: optional(text),
  verdict: optional(oneOf(native.Verdict)),
  kind: optional(oneOf(native.QrKind)),
  from: optional(integer),
  until: optional(integer),
  text: optional(text),
});

export const code: Check<native.CodeRef> = (field, value) => {
  if (typeof value === "string") return new native.CodeRef.Text({ text: text(field, value) });
  const given = Object(value) as { type?: unknown; text?: unknown; qrHash?: unknown };
  if (given.type === "Text") return new native.CodeRef.Text({ text: text(`${field}.text`, given.text) });
  if (given.type === "Hash") return new native.CodeRef.Hash({ qrHash: text(`${field}.qrHash`, given.qrHash) });
  throw invalid(field, "is neither a string nor of type Text or Hash");
};

export const newVote = record(native.NewVote, {
  code,
  choice: oneOf(native.VoteChoice),
  userId: optional(text),
  votedAt: optional(integer),
});

export const voteQuery = record(native.VoteQuery, {
  limit: count,
  cursor: optional(text),
  userId: optional(text),
});

export const settingsUpdate = record(native.SettingsUpdate, {
  notifications: optional(flag),
  autoSync: optional(flag),
  scanRetentionDays: optional(count),
  voteRetentionDays: optional(count),
});

export const asyncStorageSource = record(native.AsyncStorageSource, {
  directory: text,
  bundleId: optional(text),
  instance: optional(text),
  keyPrefix: optional(text),
  owner: optional(text),
});

export const kvPair = record(native.KvPair, { key: text, value: text });
