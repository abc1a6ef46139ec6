require "json"

package = JSON.parse(File.read(File.join(__dir__, "package.json")))

Pod::Spec.new do |s|
  s.name = "SafeScan"
  s.version = package["version"]
  s.summary = package["description"]
  s.homepage = package["homepage"]
  s.license = package["license"]
  s.authors = package["author"]
  s.source = { :git => package["repository"]["url"], :tag => "v#{s.version}" }
  s.platforms = { :ios => "15.1" }

  s.source_files = "ios/*.{h,mm}", "cpp/*.{h,cpp}", "cpp/generated/*.{hpp,cpp}"
  s.preserve_paths = "cpp/runtime/*.h"
  # The core itself, a static library for devices and simulators.
  s.vendored_frameworks = "SafeScanCoreFFI.xcframework"
  # The core's HTTP client can ask the system's judgement of certificates, which the core never does: still it is linked.
  s.frameworks = "CoreFoundation", "Security"
  s.resource_bundles = { "SafeScanPrivacy" => "ios/PrivacyInfo.xcprivacy" }
  s.pod_target_xcconfig = {
    "CLANG_CXX_LANGUAGE_STANDARD" => "c++20",
    "HEADER_SEARCH_PATHS" => %w[cpp cpp/generated cpp/runtime].map { |folder| "\"$(PODS_TARGET_SRCROOT)/#{folder}\"" }.join(" "),
  }
  install_modules_dependencies(s)
end
