import SafeScanAppleCore
import SafeScanCore
import Testing

@Suite("Background refresh", .timeLimit(.minutes(1)))
@MainActor
struct RefreshTests {
    let task = TestRefreshTask()

    @Sendable nonisolated static func configuration(_ url: String) -> @Sendable (String) -> SafeScanConfig {
        { SafeScanConfig(directory: $0, sync: SyncConfig(baseUrl: url, onlyWhenAsked: true, allowPlainLoopback: true)) }
    }

    @Test("A refresh sends what waits, and leaves no file open")
    func sends() async throws {
        let server = try Server()
        try await withProcess(of: TestSystem(inForeground: false)) { process, system in
            let core = try await process.open(configure: Self.configuration(server.url))
            try await core.setAuthToken(token: "token-of-ada")
            try await core.vote(.unsafe, on: "https://example.com/")
            #expect(try await core.statistics().pendingOperations == 1)
            await RefreshRun(task).run { core }
            #expect(task.completions == [true])
            #expect(try await core.statistics().pendingOperations == 0)
            #expect(try system.openFiles() == [])
        }
    }

    @Test("A refresh that does not end in time wants another; its change is kept")
    func deadline() async throws {
        let server = try SilentServer()
        try await withProcess(of: TestSystem(inForeground: false)) { process, _ in
            let core = try await process.open(configure: Self.configuration(server.url))
            try await core.vote(.unsafe, on: "https://example.com/")
            await RefreshRun(task).run(deadlineMs: 200) { core }
            #expect(task.completions == [false])
            #expect(try await core.statistics().pendingOperations == 1)
        }
    }

    @Test("A refresh that the system ends is told so at once, and says nothing more")
    func expires() async throws {
        let server = try SilentServer()
        try await withProcess(of: TestSystem(inForeground: false)) { process, system in
            let core = try await process.open(configure: Self.configuration(server.url))
            try await core.vote(.unsafe, on: "https://example.com/")
            let run = Task { await RefreshRun(task).run(deadlineMs: 2_000) { core } }
            try await server.connected()
            task.expire()
            #expect(task.completions == [false])
            task.expire()
            await run.value
            #expect(task.completions == [false])
            #expect(try await core.statistics().pendingOperations == 1)
            #expect(try system.openFiles() == [])
        }
    }

    @Test("Without a server, or a token that it takes, there is nothing to try again; without a core there is")
    func outcomes() async throws {
        let server = try Server()
        try await withProcess { process, _ in
            let core = try await process.open()
            await RefreshRun(task).run { core }
            #expect(task.completions == [true])
        }
        try await withProcess { process, _ in
            let core = try await process.open(configure: Self.configuration(server.url))
            let second = TestRefreshTask()
            await RefreshRun(second).run { core }
            #expect(second.completions == [true])
        }
        let third = TestRefreshTask()
        await RefreshRun(third).run { throw IdentityKeyUnavailableError(.deviceLocked) }
        #expect(third.completions == [false])
    }
}

/// A task as the system gives it; remembers what it is told.
final class TestRefreshTask: RefreshTask {
    private let state = Guarded((expired: (@Sendable () -> Void)?.none, completions: [Bool]()))

    var completions: [Bool] { state.with { $0.completions } }

    func whenExpired(_ expired: @escaping @Sendable () -> Void) { state.with { $0.expired = expired } }
    func complete(success: Bool) { state.with { $0.completions.append(success) } }
    func expire() { state.with { $0.expired }?() }
}
