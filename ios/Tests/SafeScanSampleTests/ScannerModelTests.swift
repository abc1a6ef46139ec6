import Observation
import SafeScanCore
import Testing

@testable import SafeScanSample

@Suite("The sample's screen", .timeLimit(.minutes(1)))
@MainActor
struct ScannerModelTests {
    let folder = TemporaryFolder()
    let text = "https://example.com/menu"

    /// Runs `body` with a screen that is there, and takes it away afterwards.
    func withScreen(server: Server? = nil, _ body: (ScannerModel, SafeScan) async throws -> Void) async throws {
        let sync = server.map { SyncConfig(baseUrl: $0.url, allowPlainLoopback: true) }
        let config = SafeScanConfig(directory: folder.path, sync: sync)
        let model = ScannerModel {
            let core = try await SafeScan.open(config: config)
            if sync != nil { try await core.setAuthToken(token: "token-of-ada") }
            return core
        }
        let screen = Screen(model)
        await until { model.core != nil }
        let core = try #require(model.core)
        do { try await body(model, core) } catch {
            screen.close()
            try? await core.shutdown()
            throw error
        }
        screen.close()
        try await core.shutdown()
    }

    @Test("A scan is shown, and is in the history until it is deleted")
    func scans() async throws {
        try await withScreen { model, _ in
            #expect(model.banner == nil && model.notice == nil)
            await model.scan(text)
            await model.scan("tel:+4912345")
            await until { model.history.map(\.text) == ["tel:+4912345", text] }
            #expect(model.current?.text == "tel:+4912345")
            let older = try #require(model.history.last)
            model.show(older)
            await until { model.rating?.qrHash == older.qrHash }
            await model.delete(older)
            #expect(model.current == nil)
            await until { model.history.count == 1 && model.rating == nil }
        }
    }

    @Test("An own vote counts at once; the same once more takes it back")
    func votes() async throws {
        try await withScreen { model, _ in
            await model.scan(text)
            await until { model.rating?.totalVotes == 0 }
            await model.vote(.unsafe)
            await until { model.rating?.ownVote == .unsafe && model.rating?.totalVotes == 1 }
            await model.vote(.safe)
            await until { model.rating?.ownVote == .safe && model.rating?.safeVotes == 1 }
            await model.vote(.safe)
            await until { model.rating?.ownVote == nil && model.rating?.totalVotes == 0 }
            for choice in [VoteChoice.safe, .unsafe, .safe, .unsafe, .safe] { await model.vote(choice) }
            #expect(model.notice?.hasPrefix("That was fast.") == true)
        }
    }

    @Test("The votes of others come in while the code is shown")
    func live() async throws {
        let server = try Server()
        try await withScreen(server: server) { model, ada in
            let isLive = { @Sendable (status: SyncStatus) in status.realtime == .healthy }
            #expect(await ada.syncStatus.contains(where: isLive))
            await model.scan(text)
            await until { model.rating?.totalVotes == 0 }
            try await server.withDevice(of: "bob") { @Sendable [text] bob in
                try await bob.vote(.unsafe, on: text)
                _ = try await bob.syncNow()
            }
            await until { model.rating?.unsafeVotes == 1 }
            #expect(model.rating?.ownVote == nil)
        }
    }

    @Test("Offline is said, and how much waits; back online it is gone")
    func offline() async throws {
        let server = try Server()
        try await withScreen(server: server) { model, core in
            try core.networkChanged(state: .offline)
            await until { model.banner == "Offline" }
            await model.scan(text)
            await model.vote(.safe)
            await until { model.banner == "Offline. 1 change waits" }
            try core.networkChanged(state: .online)
            await until { model.banner == nil }
        }
    }

    @Test("What cannot be done is said")
    func notices() async throws {
        try await withScreen { model, _ in
            await model.scan("WIFI:S:home;T:WPA;P:secret;;")
            await model.vote(.safe)
            #expect(model.notice == "Private codes are not voted on.")
            await model.scan("")
            #expect(model.notice?.isEmpty == false)
            await model.scan(text)
            #expect(model.notice == nil)
        }
        let broken = ScannerModel { throw SafeScanError.StorageUnavailable(reason: "the device is locked") }
        await broken.run()
        #expect(broken.notice == "the device is locked")
        await broken.scan(text)
        #expect(broken.current == nil)
    }

    @Test("The banner speaks of what the user can know or do")
    func banner() {
        func status(_ state: ServiceState, _ cause: HealthCause, pending: UInt32 = 0) -> SyncStatus {
            SyncStatus(state: state, cause: cause, realtime: .disabled, pending: pending, lastReport: nil)
        }
        #expect(status(.healthy, .none, pending: 3).banner == nil)
        #expect(status(.disabled, .notConfigured).banner == nil)
        #expect(status(.unavailable, .unauthorized, pending: 2).banner == "Sign in again. 2 changes wait")
        #expect(status(.unavailable, .serverFailing, pending: 1).banner == "Synchronising later. 1 change waits")
        #expect(status(.unavailable, .upgradeRequired).banner == "Update the app to go on synchronising")
    }
}

/// Does what SwiftUI does with the model: runs it, and follows the rating of whichever code is shown.
@MainActor
private final class Screen {
    private var tasks: [Task<Void, Never>] = []
    private var rating: Task<Void, Never>?

    init(_ model: ScannerModel) {
        tasks = [
            Task { await model.run() },
            Task {
                while !Task.isCancelled {
                    let shown = model.current?.qrHash
                    rating = Task { await model.followRating() }
                    await until { model.current?.qrHash != shown }
                    rating?.cancel()
                }
            },
        ]
    }

    func close() {
        rating?.cancel()
        tasks.forEach { $0.cancel() }
    }
}

/// Waits until what is shown is so. Ends as well when the task is cancelled: the test's time limit does that.
@MainActor
func until(_ isSo: () -> Bool) async {
    while !Task.isCancelled {
        let (changes, change) = AsyncStream<Void>.makeStream()
        if withObservationTracking(isSo, onChange: { change.finish() }) { return }
        for await _ in changes {}
    }
}
