import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const directory = await mkdtemp(join(tmpdir(), "safescan-"));

// README begin
import { SafeScan } from "react-native-safescan";

await using core = await SafeScan.open({ directory });
const scan = await core.scans.record("https://example.com/menu", { verdict: "Safe" });
await core.votes.submit(scan.text, "Safe");
const { assessment, confidence } = await core.ratings.get(scan.text);
console.log(`${scan.kind}: ${assessment}, ${confidence}`); // WebLink: Insufficient, 1
// README end
