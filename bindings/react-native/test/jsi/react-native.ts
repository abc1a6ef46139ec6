// What the generated code imports from React Native.
import { host } from "./host.js";

const modules: Record<string, unknown> = { SafeScan: { installRustCrate: () => host.installCore() } };

export const TurboModuleRegistry = {
  getEnforcing(name: string): unknown {
    if (!(name in modules)) throw new Error(`there is no native module ${name}`);
    return modules[name];
  },
};
