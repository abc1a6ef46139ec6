import Foundation
import SafeScanAppleCore
import SafeScanCore
import Testing

struct Mismatch: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A phone's system, as far as the glue looks at it. What it is told is remembered, and it says what a test wants it to.
@MainActor
final class TestSystem: System {
    let folder = TemporaryFolder()
    let testKeys = TestKeys()
    let testTime = TestTime()
    let testAttributes: TestAttributes
    let sink = TestSink()
    var isInForeground: Bool
    var attributes: any FileAttributes
    private(set) var network: (@Sendable (NetworkPath) -> Void)?
    private var app: (@MainActor (SystemEvent) -> Void)?

    init(inForeground: Bool = true) {
        isInForeground = inForeground
        testAttributes = TestAttributes(links: folder.url.appendingPathComponent("links"))
        attributes = testAttributes
    }

    var keys: any IdentityKeyStore { testKeys }
    var time: any BackgroundTime { testTime }
    var logSink: any LogSink { sink }
    var support: URL { folder.url.appendingPathComponent("Application Support") }
    var directory: URL { support.appendingPathComponent("SafeScan") }

    func supportFolder() throws -> URL { support }

    func observe(_ told: @escaping @MainActor (SystemEvent) -> Void) -> AnyObject {
        app = told
        return Ending {}
    }

    func watchNetwork(_ told: @escaping @Sendable (NetworkPath) -> Void) -> AnyObject {
        network = told
        return Ending { [weak self] in MainActor.assumeIsolated { self?.network = nil } }
    }

    func tell(_ event: SystemEvent) {
        app?(event)
    }

    /// The core's files that this process holds open.
    func openFiles() throws -> Set<String> {
        #if os(Linux)
            let descriptors = "/proc/self/fd"
            let names = try FileManager.default.contentsOfDirectory(atPath: descriptors)
            // Some are gone before they are looked at.
            let files = names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(descriptors)/\($0)") }
        #else
            let files = (0..<getdtablesize()).compactMap { descriptor in
                var path = [CChar](repeating: 0, count: Int(MAXPATHLEN))
                return fcntl(descriptor, F_GETPATH, &path) == 0 ? String(cString: path) : nil
            }
        #endif
        return Set(files.filter { $0.contains(directory.path) }.map { ($0 as NSString).lastPathComponent })
    }
}

/// Calls `end` when it goes.
private final class Ending {
    private let end: () -> Void

    init(_ end: @escaping () -> Void) {
        self.end = end
    }

    deinit { end() }
}

/// A Keychain that can be locked, and lose what it holds.
final class TestKeys: IdentityKeyStore {
    private let state = Guarded((stored: StoredKey.nothing, fails: IdentityKeyUnavailableError?.none, reads: 0))

    var stored: StoredKey {
        get { state.with { $0.stored } }
        set { state.with { $0.stored = newValue } }
    }

    var failure: IdentityKeyUnavailableError? {
        get { state.with { $0.fails } }
        set { state.with { $0.fails = newValue } }
    }

    var reads: Int { state.with { $0.reads } }

    func read() throws(IdentityKeyUnavailableError) -> StoredKey {
        state.with { $0.reads += 1 }
        if let failure { throw failure }
        return stored
    }

    func write(_ key: Data) throws(IdentityKeyUnavailableError) {
        if let failure { throw failure }
        stored = .key(key)
    }

    func remove() throws(IdentityKeyUnavailableError) {
        if let failure { throw failure }
        stored = .nothing
    }
}

/// The time that the system gives in the background. Ending what does not run is a failure, as it is on a phone.
@MainActor
final class TestTime: BackgroundTime {
    private(set) var begun: [String] = []
    private var running: [Int: @MainActor @Sendable () -> Void] = [:]
    var isOver = false

    var isRunning: Bool { !running.isEmpty }

    func begin(_ name: String, expired: @escaping @MainActor @Sendable () -> Void) -> Int? {
        if isOver { return nil }
        begun.append(name)
        running[begun.count] = expired
        return begun.count
    }

    func end(_ id: Int) {
        #expect(running.removeValue(forKey: id) != nil, "the task is ended already")
    }

    /// The system's patience is at its end: what is not ended now kills the app.
    func expire() {
        for expired in running.values { expired() }
        #expect(running.isEmpty, "the app would be killed")
    }
}

/// Remembers the files that were given attributes: the files, not their names. A link holds on to each, so that no new file
/// can be taken for it.
final class TestAttributes: FileAttributes {
    private struct State: Sendable {
        var protected: Set<Int> = []
        var excluded: Set<Int> = []
        var folders: Set<String> = []
    }

    private let links: URL
    private let state = Guarded(State())
    let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation

    init(links: URL) {
        self.links = links
        (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func protect(_ url: URL) throws { try mark(url, in: \.protected) }
    func excludeFromBackup(_ url: URL) throws { try mark(url, in: \.excluded) }

    func isProtected(_ url: URL) -> Bool { has(url, in: \.protected) }
    func isExcluded(_ url: URL) -> Bool { has(url, in: \.excluded) }

    private func mark(_ url: URL, in set: WritableKeyPath<State, Set<Int>> & Sendable) throws {
        let number = try number(of: url)
        try state.with { state in
            if (try? FileManager.default.contentsOfDirectory(atPath: url.path)) == nil, !state[keyPath: set].contains(number) {
                try FileManager.default.createDirectory(at: links, withIntermediateDirectories: true)
                try FileManager.default.linkItem(at: url, to: links.appendingPathComponent("\(UUID())"))
            }
            state[keyPath: set].insert(number)
        }
        changed.yield()
    }

    private func has(_ url: URL, in set: KeyPath<State, Set<Int>> & Sendable) -> Bool {
        guard let number = try? number(of: url) else { return false }
        return state.with { $0[keyPath: set].contains(number) }
    }

    private func number(of url: URL) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
        return try #require(attributes[.systemFileNumber] as? NSNumber).intValue
    }
}

/// Keeps the core's log.
final class TestSink: LogSink {
    private let state = Guarded<[(LogLevel, String)]>([])

    var records: [(level: LogLevel, target: String)] { state.with { $0 }.map { ($0.0, $0.1) } }

    func log(level: LogLevel, target: String, text: String) throws {
        state.with { $0.append((level, target)) }
    }
}

/// Runs `body` on a process of this system's, and shuts its core down afterwards.
@MainActor
func withProcess(
    of system: TestSystem = TestSystem(), _ body: @MainActor (SafeScanProcess, TestSystem) async throws -> Void
) async throws {
    let process = SafeScanProcess(system)
    do { try await body(process, system) } catch {
        try? await process.shutdown()
        throw error
    }
    try await process.shutdown()
    #expect(!system.testTime.isRunning, "time in the background was not given back")
}

extension SafeScan {
    func cause(of service: Service) -> HealthCause? {
        health().services.first { $0.service == service }?.cause
    }
}
