import SafeScanApple
import SwiftUI

@main
@available(iOS 17, macOS 14, *)
struct SampleApp: App {
    @State private var model = ScannerModel { try await SampleApp.core() }

    init() {
        #if os(iOS)
            // Without it the app synchronises while it is used, and not in between.
            try? SafeScanRefresh.schedule("dev.safescan.sample.refresh") { try await SampleApp.core() }
        #endif
    }

    var body: some Scene {
        WindowGroup { ScannerScreen(model: model) }
    }

    /// The app's core, for the screen and for the refresh. Its server is in Info.plist, under `SafeScanServer`.
    private static func core() async throws -> SafeScan {
        let server = Bundle.main.object(forInfoDictionaryKey: "SafeScanServer") as? String
        return try await SafeScanApple.open(log: .info) { directory in
            SafeScanConfig(directory: directory, sync: server.map { SyncConfig(baseUrl: $0) })
        }
    }
}
