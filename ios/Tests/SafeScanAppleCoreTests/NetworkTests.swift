import SafeScanAppleCore
import SafeScanCore
import Testing

@Suite("Network", .timeLimit(.minutes(1)))
@MainActor
struct NetworkTests {
    @Test("Only news are told: that there is a network, that there is none, that another took its place")
    func edges() {
        let home = ["en0", "192.0.2.1"], away = ["en0", "198.51.100.1"], mobile = ["pdp_ip0"]
        let said: [(NetworkPath, NetworkState?)] = [
            (NetworkPath(.satisfied, route: home), .online),
            (NetworkPath(.satisfied, route: home), nil),
            (NetworkPath(.satisfied, route: mobile), .online),
            (NetworkPath(.satisfied, route: away), .online),
            (NetworkPath(.satisfied, route: home), .online),
            (NetworkPath(.unsatisfied, route: home), .offline),
            (NetworkPath(.unsatisfied, route: mobile), nil),
            (NetworkPath(.requiresConnection), .unknown),
            (NetworkPath(.satisfied, route: home), .online),
        ]
        var edges = NetworkEdges()
        for (path, news) in said { #expect(edges.news(in: path) == news, "\(path)") }
    }

    @Test("The network's coming and going is told, and no longer after the end")
    func told() async throws {
        let server = try Server()
        try await withProcess { process, system in
            let core = try await process.open { [url = server.url] directory in
                SafeScanConfig(directory: directory, sync: SyncConfig(baseUrl: url, allowPlainLoopback: true))
            }
            try await core.setAuthToken(token: "token-of-ada")
            let network = try #require(system.network)
            network(NetworkPath(.unsatisfied))
            #expect(core.cause(of: .cloudSync) == .offline)
            try await core.vote(.safe, on: "https://example.com/")
            network(NetworkPath(.satisfied, route: ["en0"]))
            let sent = { @Sendable (status: SyncStatus) in status.state == .healthy && status.pending == 0 }
            #expect(await core.syncStatus.contains(where: sent))
            try await process.shutdown()
            #expect(system.network == nil)
            // One that was under way.
            network(NetworkPath(.unsatisfied))
        }
    }
}
