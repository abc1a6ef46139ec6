// Stands in for Apple's Network on Linux: what the glue calls of it, declared as Apple documents it, and driven by tests.
import Foundation

public struct NWInterface: Hashable, Sendable {
    public let name: String

    public init(name: String) {
        self.name = name
    }
}

public enum NWEndpoint: Hashable, Sendable {
    case hostPort(host: String, port: UInt16)
}

public struct NWPath: Equatable, Sendable {
    public enum Status: Sendable { case satisfied, unsatisfied, requiresConnection }

    public let status: Status
    public let availableInterfaces: [NWInterface]
    public let gateways: [NWEndpoint]

    public init(_ status: Status, interfaces: [NWInterface] = [], gateways: [NWEndpoint] = []) {
        (self.status, availableInterfaces, self.gateways) = (status, interfaces, gateways)
    }
}

public final class NWPathMonitor: @unchecked Sendable {
    public var pathUpdateHandler: (@Sendable (NWPath) -> Void)?
    private var queue: DispatchQueue?

    public init() {}

    public func start(queue: DispatchQueue) {
        self.queue = queue
        Self.lock.withLock { Self.started.append(self) }
    }

    public func cancel() {
        Self.lock.withLock { Self.started.removeAll { $0 === self } }
    }

    // What follows is for tests.

    private static let lock = NSLock()
    private nonisolated(unsafe) static var started: [NWPathMonitor] = []

    /// How many watch the path.
    public static var watching: Int { lock.withLock { started.count } }

    /// Tells everybody who watches, and waits until they know.
    public static func say(_ path: NWPath) {
        for monitor in lock.withLock({ started }) {
            monitor.queue?.sync { monitor.pathUpdateHandler?(path) }
        }
    }
}
