// Listens for a while, leaves the core open, and has to end by itself.
import { SafeScan } from "react-native-safescan";

const [directory = ""] = process.argv.slice(2);
const core = await SafeScan.open({ directory });
await core.kv.set("key", "value");
const off = core.on("*", () => {});
// Nobody listened before: the loop begins with what has happened already.
for await (const event of core.events()) {
  console.log(event.type);
  break;
}
off();
