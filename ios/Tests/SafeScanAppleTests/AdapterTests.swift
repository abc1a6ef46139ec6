import BackgroundTasks
import Foundation
import Network
@testable import SafeScanApple
import Security
import Testing
import UIKit
import os

struct Mismatch: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The glue with what it calls of Apple's frameworks, on stand-ins for them: one app, one test after the other.
@Suite("On stand-ins for Apple's frameworks", .serialized, .timeLimit(.minutes(1)))
@MainActor
final class AdapterTests {
    let folder: URL
    let app = UIApplication.shared
    let keychain = StandInKeychain.shared

    init() throws {
        // Where Application Support lies on Linux. This app's is emptied: it must not be anybody's own.
        guard let home = ProcessInfo.processInfo.environment["XDG_DATA_HOME"] else {
            throw Mismatch("XDG_DATA_HOME must name a folder for these tests; scripts/test makes one")
        }
        folder = URL(fileURLWithPath: home).appendingPathComponent("SafeScan")
        try? FileManager.default.removeItem(at: folder)
        keychain.clear()
    }

    /// Runs `body`, and ends the app's core afterwards.
    func test(_ body: () async throws -> Void) async throws {
        do { try await body() } catch {
            try? await SafeScanApple.shutdown()
            throw error
        }
        try await SafeScanApple.shutdown()
        #expect(app.running.isEmpty, "time in the background was not given back")
        #expect(NWPathMonitor.watching == 0)
    }

    @Test("It opens in Application Support, with a key that is this device's alone")
    func opens() async throws {
        try await test {
            let core = try await SafeScanApple.open()
            #expect(core.health().identityKey == .host)
            #expect(await SafeScanApple.identityOrigin == .new)
            #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent("safescan.db").path))
            let item = try #require(keychain.items.first)
            #expect(keychain.items.count == 1)
            #expect(item[kSecAttrAccessible as String] as? NSString == kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly)
            #expect((item[kSecValueData as String] as? Data)?.count == 32)
            try await SafeScanApple.shutdown()
            try await SafeScanApple.forgetIdentity()
            #expect(keychain.items.isEmpty)
            try await SafeScanApple.forgetIdentity()
        }
    }

    @Test("What the Keychain says is told apart: locked, failing, lost, unreadable")
    func statuses() throws {
        let store = Keychain()
        #expect(try store.read() == .nothing)
        try store.write(Data([1]))
        try store.write(Data([2]))
        #expect(try store.read() == .key(Data([2])))
        let failures: [OSStatus: IdentityKeyUnavailableError.Cause] = [
            errSecInteractionNotAllowed: .deviceLocked, -34_018: .keychain(status: -34_018),
        ]
        for (status, cause) in failures {
            keychain.failure = status
            defer { keychain.failure = nil }
            #expect(throws: IdentityKeyUnavailableError(cause)) { try store.read() }
            #expect(throws: IdentityKeyUnavailableError(cause)) { try store.write(Data([3])) }
            #expect(throws: IdentityKeyUnavailableError(cause)) { try store.remove() }
        }
        keychain.failure = errSecDecode
        #expect(try store.read() == .unreadable)
        keychain.failure = nil
        #expect(try store.read() == .key(Data([2])))
        try store.remove()
        try store.remove()
        #expect(try store.read() == .nothing)
    }

    @Test("Before the first unlocking it does not open, and makes no key")
    func locked() async throws {
        try await test {
            // A process that has not had its key yet.
            let process = SafeScanProcess(AppleSystem())
            keychain.failure = errSecInteractionNotAllowed
            defer { keychain.failure = nil }
            await #expect(throws: IdentityKeyUnavailableError(.deviceLocked)) { try await process.open() }
            #expect(keychain.items.isEmpty)
        }
    }

    @Test("The app's notifications send it to sleep and wake it up")
    func notifications() async throws {
        try await test {
            let core = try await SafeScanApple.open()
            let attachment = try #require(SafeScanApple.process.attachment)
            app.goToBackground()
            #expect(app.running.count == 1)
            await attachment.settled()
            #expect(core.health().services.contains { $0.cause == .suspended })
            #expect(app.running.isEmpty)
            app.comeBack()
            await attachment.settled()
            #expect(!core.health().services.contains { $0.cause == .suspended })

            // One window of several goes.
            NotificationCenter.default.post(name: UIApplication.didEnterBackgroundNotification, object: app)
            await attachment.settled()
            #expect(attachment.isAwake == true)

            app.goToBackground()
            app.expire()
            #expect(app.running.isEmpty)
            app.hasTime = false
            app.comeBack()
            app.goToBackground()
            await attachment.settled()
            #expect(attachment.isAwake == false)
            app.hasTime = true
            app.comeBack()

            try core.cacheSet(key: "key", value: "value")
            NotificationCenter.default.post(name: UIApplication.didReceiveMemoryWarningNotification, object: nil)
            #expect(try core.cacheStatistics().entries == 0)
        }
    }

    @Test("Paths are told with what names the network")
    func paths() async throws {
        let said = Guarded<[NetworkPath]>([])
        var watch: PathWatch? = PathWatch { path in said.with { $0.append(path) } }
        #expect(NWPathMonitor.watching == 1)
        let interfaces = [NWInterface(name: "en0"), NWInterface(name: "pdp_ip0")]
        NWPathMonitor.say(NWPath(.satisfied, interfaces: interfaces, gateways: [.hostPort(host: "192.0.2.1", port: 0)]))
        NWPathMonitor.say(NWPath(.unsatisfied))
        NWPathMonitor.say(NWPath(.requiresConnection))
        #expect(said.with { $0 }.map(\.status) == [.satisfied, .unsatisfied, .requiresConnection])
        let route = said.with { $0 }[0].route
        #expect(route.count == 2 && route[0] == "en0" && route[1].contains("192.0.2.1"))
        watch = nil
        #expect(NWPathMonitor.watching == 0)
        _ = watch
    }

    @Test("The log is the system's, readable, in the levels that it has")
    func log() async throws {
        let sink = SystemLog()
        let before = StandInLog.shared.lines.count
        for level in [LogLevel.trace, .debug, .info, .warn, .error] { try sink.log(level: level, target: "target", text: "text") }
        let lines = StandInLog.shared.lines.dropFirst(before)
        #expect(lines.map { $0.replacingOccurrences(of: "SafeScan ", with: "") } == [2, 2, 1, 0, 16].map { "\($0) target: text" })
    }

    @Test("A refresh is scheduled, runs when it is granted, and is scheduled again")
    func refresh() async throws {
        let scheduler = BGTaskScheduler.shared
        let identifier = "com.example.app.safescan"
        #expect(throws: RefreshNotPermittedError(identifier: identifier)) {
            try SafeScanRefresh.schedule(identifier) { try await SafeScanApple.open() }
        }
        #expect(scheduler.pending.isEmpty)
        scheduler.permitted = [identifier]
        let server = try Server()
        let configure = { @Sendable [url = server.url] (directory: String) in
            let sync = SyncConfig(baseUrl: url, onlyWhenAsked: true, allowPlainLoopback: true)
            return SafeScanConfig(directory: directory, sync: sync)
        }
        try await test {
            let runs = Guarded(0)
            try SafeScanRefresh.schedule(identifier) {
                let isFirst = runs.with { runs in
                    runs += 1
                    return runs == 1
                }
                // The second one is to be over with the test.
                if !isFirst { throw CancellationError() }
                let core = try await SafeScanApple.open(configure: configure)
                try await core.setAuthToken(token: "token-of-ada")
                return core
            }
            let date = try #require(scheduler.pending[identifier]?.earliestBeginDate)
            #expect(abs(date.timeIntervalSinceNow - 6 * 60 * 60) < 60)
            let core = try await SafeScanApple.open(configure: configure)
            try await core.vote(.safe, on: "https://example.com/")
            let task = try #require(scheduler.grant(identifier))
            #expect(scheduler.pending[identifier] != nil)
            #expect(await task.completions.contains(true))
            #expect(try await core.statistics().pendingOperations == 0)

            let second = try #require(scheduler.grant(identifier))
            second.expirationHandler?()
            #expect(second.completed == false)
            SafeScanRefresh.cancel(identifier)
            #expect(scheduler.pending.isEmpty)
        }
    }
}
