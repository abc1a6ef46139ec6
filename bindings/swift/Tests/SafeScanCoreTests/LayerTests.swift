import Foundation
import SafeScanCore
import Testing

@Suite("The Swift layer", .timeLimit(.minutes(1)))
struct LayerTests {
    struct ServiceDown: Error {}

    @Test("A core opened for a while is shut down afterwards, even after an error")
    func lifetime() async throws {
        let config = SafeScanConfig(folder: TemporaryFolder().url)
        let returned = try await SafeScan.with(config) { core in core }
        guard case .Stopped = try await failure({ try await returned.statistics() }) else {
            Issue.record("the core should be shut down")
            return
        }
        var thrown: SafeScan?
        await #expect(throws: ServiceDown.self) {
            try await SafeScan.with(config) { core in
                thrown = core
                throw ServiceDown()
            }
        }
        let core = try #require(thrown)
        guard case .Stopped = try await failure({ try await core.statistics() }) else {
            Issue.record("the core should be shut down")
            return
        }
    }

    @Test("The shorthands do what the full calls do")
    func shorthands() async throws {
        try await withCore { core in
            let at = Date(unixMillis: 1_700_000_000_123)
            let scan = try await core.record("https://example.com/", verdict: .safe, scannedAt: at, metadata: "m")
            #expect(scan.scannedAt == 1_700_000_000_123)
            #expect(scan.verdict == .safe)
            #expect(scan.metadata == "m")
            #expect(try await core.history().scans == [scan])

            let code = CodeRef.text(text: scan.text)
            guard case .accepted(let rating) = try await core.vote(.unsafe, on: scan.text, userId: "ada") else {
                Issue.record("a first vote should be accepted")
                return
            }
            #expect(rating.unsafeVotes == 1)
            #expect(try await core.myVote(code: code, userId: "ada")?.choice == .unsafe)
            #expect(try await core.myVote(code: code) == nil)
            #expect(try await core.rating(of: scan.text).unsafeVotes == 1)
            let retracted = try await core.retractVote(on: scan.text, userId: "ada")
            #expect(retracted.rating?.totalVotes == 0)
            #expect(try await core.vote(.safe, on: "WIFI:S:home;P:secret;;").rating == nil)
        }
    }

    @Test("Dates become milliseconds and back", arguments: [0, -1, 1_700_000_000_123, 999_999_999_999])
    func dates(millis: UnixMillis) {
        #expect(Date(unixMillis: millis).unixMillis == millis)
    }

    @Test("Dates beyond all milliseconds become the outermost")
    func extremeDates() {
        #expect(Date(timeIntervalSince1970: .infinity).unixMillis == .max)
        #expect(Date(timeIntervalSince1970: -.infinity).unixMillis == .min)
    }

    @Test("Five failures open the circuit, and a success closes it a minute later")
    func circuit() async throws {
        try await withCore { core in
            for _ in 0..<5 {
                await #expect(throws: ServiceDown.self) {
                    try await core.withCircuitBreaker("scanner") { throw ServiceDown() }
                }
            }
            var calls = 0
            do {
                try await core.withCircuitBreaker("scanner") { calls += 1 }
                Issue.record("the circuit should be open")
            } catch let refused as CircuitOpenError {
                #expect(refused.service == "scanner")
                #expect((1...60_000).contains(refused.retryAfterMs))
            }
            #expect(calls == 0)
            #expect(try await core.withCircuitBreaker("another") { 7 } == 7)

            core.testAdvanceClock(millis: 60_000)
            #expect(try core.circuitState(service: "scanner") == .halfOpen)
            #expect(try await core.withCircuitBreaker("scanner") { 7 } == 7)
            #expect(try core.circuitState(service: "scanner") == .closed)
        }
    }

    @Test("Cancelled calls do not open the circuit")
    func cancelledCalls() async throws {
        try await withCore { core in
            for _ in 0..<10 {
                await #expect(throws: CancellationError.self) {
                    try await core.withCircuitBreaker("scanner") { throw CancellationError() }
                }
            }
            let state = try core.circuitState(service: "scanner")
            #expect(state == .closed)
        }
    }
}
