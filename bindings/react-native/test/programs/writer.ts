// Writes for ever and prints, after each write that has returned, what must be found again however this process ends.
import { writeSync } from "node:fs";

import { SafeScan } from "react-native-safescan";

const [directory = "", round = ""] = process.argv.slice(2);

const core = await SafeScan.open({ directory });
for (let number = 0; ; number += 1) {
  const scan = await core.scans.record(`https://example.com/${round}/${number}`);
  writeSync(1, `scan ${scan.id}\n`);
  const key = `${round}/${number}`;
  await core.kv.set(key, scan.id);
  writeSync(1, `key ${key}\n`);
}
