import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const directory = await mkdtemp(join(tmpdir(), "safescan-"));

// README begin
import { SafeScan } from "react-native-safescan";

await using core = await SafeScan.open({ directory });
const scan = await core.recordScan("https://example.com/menu", { verdict: "Safe" });
await core.submitVote(scan.text, "Safe");
const { assessment, confidence } = await core.rating(scan.text);
console.log(`${scan.kind}: ${assessment}, ${confidence}`); // WebLink: Insufficient, 1
// README end
