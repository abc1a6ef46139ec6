// Tries to open a directory and prints how that went.
import { SafeScan, SafeScanError } from "react-native-safescan";

const [directory = ""] = process.argv.slice(2);
try {
  const core = await SafeScan.open({ directory });
  await core.shutdown();
  console.log("opened");
} catch (error) {
  console.log(error instanceof SafeScanError ? `${error.type}: ${error.message}` : String(error));
}
