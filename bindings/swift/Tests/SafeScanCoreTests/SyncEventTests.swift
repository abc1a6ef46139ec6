import SafeScanCore
import Testing

@Suite("What an app is told of its changes on their way to the server", .timeLimit(.minutes(1)))
struct SyncEventTests {
    let text = "https://example.com/menu"

    /// The first thing told that is wanted.
    func told<Value>(_ core: SafeScan, _ wanted: (CoreEvent) -> Value?) async throws -> Value {
        for await event in core.events {
            if let value = wanted(event) { return value }
        }
        throw Mismatch("the events ended too early")
    }

    @Test("A run ends with its report")
    func finished() async throws {
        let server = try Server()
        try await server.withQuietDevice(of: "ada") { ada in
            try await ada.vote(.safe, on: text)
            let report = try await ada.syncNow()
            #expect([report.sent, report.superseded, report.waiting] == [1, 0, 0])
            let finished = try await told(ada) { if case .syncFinished(let report) = $0 { report } else { nil } }
            #expect(finished == report)
        }
    }

    @Test("A change that gives way to a later one of another device is told of")
    func superseded() async throws {
        let server = try Server()
        try await server.withQuietDevice(of: "ada") { phone in
            try await server.withQuietDevice(of: "ada") { tablet in
                _ = try await phone.updateSettings(update: SettingsUpdate(scanRetentionDays: 30))
                let earlier = try await phone.pendingOperations().operations.first
                tablet.testAdvanceClock(millis: 1_000)
                _ = try await tablet.updateSettings(update: SettingsUpdate(scanRetentionDays: 60))
                _ = try await tablet.syncNow()

                #expect(try await phone.syncNow().superseded == 1)
                let gaveWay = try await told(phone) {
                    if case .operationSuperseded(let id, let kind) = $0 { (id: id, kind: kind) } else { nil }
                }
                #expect(gaveWay.id == earlier?.id)
                #expect(gaveWay.kind == .settingPut)
                #expect(try await phone.settings().scanRetentionDays == 60)
            }
        }
    }

    @Test("A token is asked for, and after a second one that is refused the change waits for the app")
    func refused() async throws {
        let server = try Server()
        try await server.withQuietDevice(of: "nobody") { device in
            try await device.vote(.safe, on: text)
            let vote = try await device.pendingOperations().operations.first
            let error = try await failure { try await device.syncNow() }
            #expect(error == .Unauthorized(reason: "the server wants another token"))
            try await told(device) { if case .tokenWanted = $0 { () } else { nil } }
            #expect(try await device.pendingOperations().operations.map(\.state) == [.pending])

            try await device.setAuthToken(token: "token-of-no-one")
            #expect(try await failure { try await device.syncNow() } == error)
            let parked = try await told(device) {
                if case .operationParked(let id, let reason) = $0 { (id: id, reason: reason) } else { nil }
            }
            #expect(parked.id == vote?.id)
            #expect(parked.reason == .auth)
            #expect(try await device.pendingOperations().operations.map(\.state) == [.parked])

            try await device.setAuthToken(token: "token-of-ada")
            #expect(try await device.syncNow().sent == 1)
        }
    }

    @Test("A server that wants fewer requests says for how long, and nothing is lost")
    func limited() async throws {
        let server = try Server(faults: "rate-limit=1:30")
        try await server.withQuietDevice(of: "ada") { ada in
            try await ada.vote(.safe, on: text)
            let error = try await failure { try await ada.syncNow() }
            #expect(error == .RateLimited(reason: "the server asked for fewer requests", retryAfterMs: 30_000))
            #expect(error.localizedDescription == "the server asked for fewer requests")
            #expect(try await ada.statistics().pendingOperations == 1)
        }
    }
}
