// What React Native's Gradle plugin generates in an app's build out of a library's specification.
//
//   node generate-spec.cjs SPECIFICATION OUTPUT    (with @react-native/codegen on NODE_PATH)
const { combineSchemasInFileList } = require("@react-native/codegen/lib/cli/combine/combine-js-to-schema");
const { generate } = require("@react-native/codegen/lib/generators/RNCodegen");
const { codegenConfig } = require("../../bindings/react-native/package.json");

const [specification, outputDirectory] = process.argv.slice(2);
const libraryName = codegenConfig.name;
generate(
    {
        libraryName,
        schema: combineSchemasInFileList([specification], "android", null, libraryName),
        outputDirectory,
        packageName: codegenConfig.android.javaPackageName,
        assumeNonnull: false,
    },
    { generators: ["modulesAndroid"] },
);
