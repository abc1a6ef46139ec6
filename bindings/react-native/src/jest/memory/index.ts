import type * as Package from "../../index.js";
import { codeText } from "./checks.js";
import { canonical, hash, kindOf } from "./codes.js";
import * as enums from "./enums.js";
import { CircuitOpenError, SafeScanError } from "./errors.js";
import { MemorySafeScan } from "./safe-scan.js";

/** Everything that `react-native-safescan` exports, in memory. */
export const standIn: typeof Package = {
  ...enums,
  CircuitOpenError,
  SafeScanError,
  // The core's class has private parts that no other class can have.
  SafeScan: MemorySafeScan as unknown as typeof Package.SafeScan,
  canonicalQr: (code) => canonical(codeText("text", code)),
  classifyQr: (code) => kindOf(codeText("text", code)),
  hashQrData: (code) => hash(codeText("text", code)),
  coreVersion: () => "0.0.0-memory",
};
