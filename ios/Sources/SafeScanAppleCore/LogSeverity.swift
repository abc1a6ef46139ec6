import SafeScanCore

/// The levels of Apple's log that the core's records come under.
package enum LogSeverity: Equatable, Sendable {
    /// Seen while a developer looks.
    case debug
    /// Kept in memory for a while.
    case info
    /// Kept on the disk.
    case notice
    case error

    package init(_ level: LogLevel) {
        self =
            switch level {
            case .trace, .debug: .debug
            case .info: .info
            case .warn: .notice
            case .error: .error
            }
    }
}
