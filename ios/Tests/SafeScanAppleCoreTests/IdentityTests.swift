import Foundation
import SafeScanAppleCore
import SafeScanCore
import Testing

@Suite("Identity", .timeLimit(.minutes(1)))
@MainActor
struct IdentityTests {
    @Test("A key is made once, and kept")
    func made() throws {
        let keys = TestKeys()
        let made = try Identity.load(from: keys, dataExist: false)
        #expect(made.origin == .new)
        #expect(made.key.count == 32)
        #expect(keys.stored == .key(made.key))
        let kept = try Identity.load(from: keys, dataExist: true)
        #expect(kept.key == made.key && kept.origin == .kept)
        #expect(try Identity.load(from: TestKeys(), dataExist: false).key != made.key)
    }

    @Test(
        "A lost, unreadable or mutilated key makes a new one, once",
        arguments: [StoredKey.nothing, .unreadable, .key(Data()), .key(Data(repeating: 1, count: 31))])
    func replaced(stored: StoredKey) throws {
        let keys = TestKeys()
        keys.stored = stored
        let made = try Identity.load(from: keys, dataExist: true)
        #expect(made.origin == .replaced)
        #expect(made.key.count == 32)
        let kept = try Identity.load(from: keys, dataExist: true)
        #expect(kept.key == made.key && kept.origin == .kept)
    }

    @Test("A lost key keeps the data and makes another person, and the app can tell")
    func lost() async throws {
        let system = TestSystem()
        var voter: VoterId?
        try await withProcess(of: system) { process, _ in
            let core = try await process.open()
            try await core.vote(.safe, on: "https://example.com/")
            voter = try await core.myVotes(query: VoteQuery()).votes.first?.voterId
        }
        system.testKeys.stored = .nothing
        try await withProcess(of: system) { process, _ in
            let core = try await process.open()
            #expect(process.identityOrigin == .replaced)
            #expect(try await core.statistics().votes == 1)
            try await core.vote(.unsafe, on: "https://example.com/other")
            let votes = try await core.myVotes(query: VoteQuery()).votes
            #expect(votes.contains { $0.voterId != voter })
        }
    }

    @Test(
        "A Keychain that is locked or fails changes nothing, and the next try finds the key",
        arguments: [IdentityKeyUnavailableError.Cause.deviceLocked, .keychain(status: -34018)])
    func unavailable(cause: IdentityKeyUnavailableError.Cause) async throws {
        let system = TestSystem(inForeground: false)
        system.testKeys.stored = .key(Data(repeating: 7, count: 32))
        system.testKeys.failure = IdentityKeyUnavailableError(cause)
        try await withProcess(of: system) { process, system in
            await #expect(throws: IdentityKeyUnavailableError(cause)) { try await process.open() }
            #expect(!FileManager.default.fileExists(atPath: system.directory.path))
            #expect(!system.testTime.isRunning)
            system.testKeys.failure = nil
            #expect(system.testKeys.stored == .key(Data(repeating: 7, count: 32)))
            let core = try await process.open()
            #expect(process.identityOrigin == .kept)
            #expect(core.health().identityKey == .host)
        }
    }

    @Test("A key of the app's own leaves the Keychain alone")
    func own() async throws {
        try await withProcess { process, system in
            let key = Data(repeating: 7, count: 32)
            _ = try await process.open { SafeScanConfig(directory: $0, identityKey: key) }
            #expect(process.identityOrigin == nil)
            #expect(system.testKeys.reads == 0 && system.testKeys.stored == .nothing)
        }
    }

    @Test("A forgotten identity is replaced, the data stay")
    func forgotten() async throws {
        try await withProcess { process, system in
            try await process.open().vote(.safe, on: "https://example.com/")
            let before = system.testKeys.stored
            try await process.forgetIdentity()
            #expect(system.testKeys.stored == .nothing)
            #expect(try await process.open().statistics().votes == 1)
            #expect(process.identityOrigin == .replaced)
            #expect(system.testKeys.stored != before)
        }
    }

    @Test("Errors say what to do, and hold no secrets")
    func errors() {
        let locked: any Error = IdentityKeyUnavailableError(.deviceLocked)
        #expect(locked.localizedDescription.contains("unlocked"))
        let failed: any Error = IdentityKeyUnavailableError(.keychain(status: -34018))
        #expect(failed.localizedDescription.contains("-34018"))
    }
}
