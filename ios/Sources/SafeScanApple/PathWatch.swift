import Foundation
import Network
import SafeScanAppleCore

/// Tells of the way out: soon after it is made, and at every change, until it goes.
final class PathWatch {
    private let monitor = NWPathMonitor()

    init(_ told: @escaping @Sendable (NetworkPath) -> Void) {
        monitor.pathUpdateHandler = { told(NetworkPath($0)) }
        monitor.start(queue: DispatchQueue(label: "dev.safescan.network"))
    }

    deinit { monitor.cancel() }
}

extension NetworkPath {
    fileprivate init(_ path: NWPath) {
        let status: Status =
            switch path.status {
            case .satisfied: .satisfied
            case .unsatisfied: .unsatisfied
            default: .requiresConnection
            }
        // The first interface is the one that is used.
        self.init(status, route: path.availableInterfaces.prefix(1).map(\.name) + path.gateways.map { "\($0)" })
    }
}
