// Stands in for Apple's os on Linux: what the glue calls of it, declared as Apple documents it, and read by tests.
import Foundation

public struct OSLogType: RawRepresentable, Equatable, Sendable {
    public static let `default` = OSLogType(rawValue: 0)
    public static let info = OSLogType(rawValue: 1)
    public static let debug = OSLogType(rawValue: 2)
    public static let error = OSLogType(rawValue: 16)

    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }
}

public struct OSLogPrivacy: Equatable, Sendable {
    public static let `public` = OSLogPrivacy(isPublic: true)
    public static let `private` = OSLogPrivacy(isPublic: false)

    fileprivate let isPublic: Bool
}

public struct OSLogMessage: ExpressibleByStringInterpolation, Sendable {
    public struct StringInterpolation: StringInterpolationProtocol, Sendable {
        fileprivate var text = ""

        public init(literalCapacity: Int, interpolationCount: Int) {}

        public mutating func appendLiteral(_ literal: String) { text += literal }

        /// As the system's log shows it.
        public mutating func appendInterpolation(_ value: @autoclosure () -> String, privacy: OSLogPrivacy = .private) {
            text += privacy == .public ? value() : "<private>"
        }
    }

    fileprivate let text: String

    public init(stringLiteral value: String) { text = value }
    public init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }
}

public struct Logger: Sendable {
    private let category: String

    public init(subsystem: String, category: String) {
        self.category = category
    }

    public func log(level: OSLogType, _ message: OSLogMessage) {
        StandInLog.shared.append("\(category) \(level.rawValue) \(message.text)")
    }
}

/// What tests read: the log's lines with category and level.
public final class StandInLog: @unchecked Sendable {
    public static let shared = StandInLog()

    private let lock = NSLock()
    private var written: [String] = []

    public var lines: [String] { lock.withLock { written } }

    func append(_ line: String) { lock.withLock { written.append(line) } }
}
