import SafeScanCore

/// What the system says of the way out.
package struct NetworkPath: Equatable, Sendable {
    package enum Status: Sendable { case satisfied, unsatisfied, requiresConnection }

    package var status: Status
    /// What names the network in use: its interface, its gateways. Compared, and never shown.
    package var route: [String]

    package init(_ status: Status, route: [String] = []) {
        (self.status, self.route) = (status, route)
    }
}

/// Finds among the system's words on the network those that are news to the core. A network that takes another's place is
/// news as well, for connections over the old one are dead.
package struct NetworkEdges: Sendable {
    private var last: NetworkPath?

    package init() {}

    /// What to tell the core, if anything.
    package mutating func news(in path: NetworkPath) -> NetworkState? {
        // Of no network it does not matter over what it is not there.
        let path = NetworkPath(path.status, route: path.status == .satisfied ? path.route : [])
        defer { last = path }
        return path == last ? nil : state(of: path.status)
    }

    private func state(of status: NetworkPath.Status) -> NetworkState {
        switch status {
        case .satisfied: .online
        case .unsatisfied: .offline
        // Whoever tries may bring it up, as with a VPN on demand: the core tries, and sees.
        case .requiresConnection: .unknown
        }
    }
}
