// What test/support/overwrite.ts does, over the host program.
import { host } from "./host.js";

export const overwrite = host.overwrite;
