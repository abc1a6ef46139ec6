import SafeScanCore
import Testing

@Suite("Between devices and the server", .timeLimit(.minutes(1)))
struct LiveTests {
    let text = "https://example.com/menu"

    @Test("A vote on one device is shown on the other at once")
    func live() async throws {
        let server = try Server()
        try await server.withDevice(of: "ada") { ada in
            try await server.withDevice(of: "bob") { bob in
                var status = bob.syncStatus.makeAsyncIterator()
                _ = try await next(of: &status) { $0.realtime == .healthy }
                var shown = try bob.ratings(of: text).makeAsyncIterator()
                #expect(await shown.next()?.totalVotes == 0)

                try await ada.vote(.safe, on: text)
                let first = try await next(of: &shown) { $0.safeVotes == 1 }
                #expect(first.ownVote == nil)
                #expect(first.source == .live)

                try await bob.vote(.unsafe, on: text)
                let both = try await next(of: &shown) { $0.totalVotes == 2 }
                #expect(both.ownVote == .unsafe)
                try await ada.retractVote(on: text)
                let last = try await next(of: &shown) { $0.totalVotes == 1 }
                #expect(last.unsafeVotes == 1)
            }
        }
    }

    @Test("What is done offline waits to be seen, and leaves when the network is back")
    func offline() async throws {
        let server = try Server()
        try await server.withDevice(of: "ada") { ada in
            var status = ada.syncStatus.makeAsyncIterator()
            _ = try await next(of: &status) { $0.state == .healthy }
            try ada.networkChanged(state: .offline)
            let offline = try await next(of: &status) { $0.cause == .offline }
            #expect(offline.pending == 0)

            var operations = ada.operations.makeAsyncIterator()
            #expect(await operations.next() == [])
            try await ada.vote(.safe, on: text)
            let waiting = await operations.next()
            #expect(waiting?.map(\.kind) == [.voteSet])
            #expect(waiting?.first?.state == .pending)
            let one = try await next(of: &status) { $0.pending == 1 }
            #expect(one.cause == .offline)

            try ada.networkChanged(state: .online)
            _ = try await next(of: &operations) { $0.isEmpty }
            let done = try await next(of: &status) { $0.state == .healthy && $0.pending == 0 }
            #expect(done.lastReport?.waiting == 0)
        }
    }

    @Test("A token that the server does not take is told of, and so is one that it takes")
    func token() async throws {
        let server = try Server()
        try await server.withDevice(of: "ada") { ada in
            var status = ada.syncStatus.makeAsyncIterator()
            try await ada.setAuthToken(token: "token-of-nobody")
            let refused = try await next(of: &status) { $0.cause == .unauthorized }
            #expect(refused.state == .unavailable)
            try await ada.setAuthToken(token: "token-of-ada")
            let taken = try await next(of: &status) { $0.state == .healthy }
            #expect(taken.cause == .none)
        }
    }
}
