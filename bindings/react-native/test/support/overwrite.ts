// What a disk does that goes bad. On React Native's interface test/jsi/overwrite.ts stands in for this.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";

/** The first place in the file that holds the text `find` holds `put` from now on. */
export function overwrite(file: string, find: string, put: string): void {
  const content = readFileSync(file);
  const at = content.indexOf(find);
  assert.ok(at >= 0 && find.length === put.length, `the file has no "${find}" that "${put}" could take the place of`);
  content.write(put, at);
  writeFileSync(file, content);
}
