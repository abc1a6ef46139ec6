const { getDefaultConfig, mergeConfig } = require("@react-native/metro-config");
const path = require("node:path");

// The package lies beside the example, not in its node_modules.
module.exports = mergeConfig(getDefaultConfig(__dirname), {
  watchFolders: [path.resolve(__dirname, "..")],
  resolver: { nodeModulesPaths: [path.join(__dirname, "node_modules")] },
});
