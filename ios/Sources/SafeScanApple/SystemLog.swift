import Foundation
import SafeScanAppleCore
import SafeScanCore
import os

/// Writes the core's log to the system's, in the category `SafeScan`. Its records hold no content of codes, no ids and no
/// tokens: that is why they may be read by whoever reads the log.
final class SystemLog: LogSink {
    private let logger = Logger(subsystem: Bundle.main.bundleIdentifier ?? "dev.safescan", category: "SafeScan")

    func log(level: LogLevel, target: String, text: String) throws {
        logger.log(level: type(for: LogSeverity(level)), "\(target, privacy: .public): \(text, privacy: .public)")
    }

    private func type(for severity: LogSeverity) -> OSLogType {
        switch severity {
        case .debug: .debug
        case .info: .info
        case .notice: .default
        case .error: .error
        }
    }
}
