import Foundation
import SafeScanAppleCore
import SafeScanCore
import Testing

@Suite("Protection and backup", .timeLimit(.minutes(1)))
@MainActor
struct FileTests {
    /// The cache is about a server.
    @Sendable nonisolated static func configure(_ directory: String) -> SafeScanConfig {
        SafeScanConfig(directory: directory, sync: SyncConfig(baseUrl: "https://example.invalid", onlyWhenAsked: true))
    }

    /// Opens a core that has written to both databases.
    func opened(_ process: SafeScanProcess) async throws -> SafeScan {
        let core = try await process.open(configure: Self.configure)
        try await core.vote(.safe, on: "https://example.com/")
        _ = try await core.rating(of: "https://example.com/")
        return core
    }

    @Test("The folder and every file in it are protected; a backup holds the user's data and nothing else")
    func plan() async throws {
        try await withProcess { process, system in
            _ = try await opened(process)
            // The cache's log comes and goes in its own time.
            let files = try system.files()
            #expect(files.isSuperset(of: ["safescan.db", "safescan.db-wal", "safescan.db-shm", "cache.db", "lock"]))
            await DataFolder(system.directory, attributes: system.testAttributes).guardFiles()
            #expect(system.testAttributes.isProtected(system.directory))
            let left = files.intersection(try system.files())
            #expect(left.isDisjoint(with: try system.unguarded()))
            let kept = left.filter { !system.testAttributes.isExcluded(system.directory.appendingPathComponent($0)) }
            #expect(kept == ["safescan.db", "safescan.db-wal"])
            #expect(!system.testAttributes.isExcluded(system.directory))
        }
    }

    @Test("Of everything that may lie there, only the user's data and the mark of an erasure are in a backup")
    func everything() async throws {
        let system = TestSystem()
        let quarantine = system.directory.appendingPathComponent("quarantine")
        try FileManager.default.createDirectory(at: quarantine, withIntermediateDirectories: true)
        let databases = ["safescan.db", "cache.db"].flatMap { name in ["", "-wal", "-shm"].map { name + $0 } }
        for name in databases + ["cache.db-journal", "lock", "erase", "safescan.db.rebuilding", "safescan.db.rebuilt", "quarantine/1.db"] {
            try Data().write(to: system.directory.appendingPathComponent(name))
        }
        await DataFolder(system.directory, attributes: system.testAttributes) { _ in Issue.record("refused") }.guardFiles()
        #expect(try system.unguarded() == [])
        // What is in a folder that is kept out is kept out with it.
        let kept = try system.files().filter { !system.testAttributes.isExcluded(system.directory.appendingPathComponent($0)) }
        #expect(kept == ["safescan.db", "safescan.db-wal", "safescan.db.rebuilt", "erase", "quarantine/1.db"])
    }

    @Test("The folder is protected before there is a file in it")
    func before() async throws {
        let system = TestSystem()
        let folder = DataFolder(system.directory, attributes: system.testAttributes)
        try await folder.make()
        #expect(system.testAttributes.isProtected(system.directory))
        #expect(try system.files() == [])
    }

    @Test("Files that come after opening are guarded when the core goes to sleep, and when everything was erased")
    func again() async throws {
        try await withProcess { process, system in
            let core = try await opened(process)
            #expect(try system.unguarded().contains("cache.db"), "the test is about a file that comes later")
            system.tell(.enteredBackground)
            await process.attachment?.settled()
            #expect(try system.unguarded() == [])

            system.tell(.enteredForeground)
            let before = try system.numbers()
            try await core.eraseAllData()
            #expect(try system.numbers()["safescan.db"] != before["safescan.db"], "the test is about new files")
            // Told by an event of the core's, a moment later.
            try await system.until { $0.isProtected(system.directory.appendingPathComponent("safescan.db")) }
            system.tell(.enteredBackground)
            await process.attachment?.settled()
            #expect(try system.unguarded() == [])
        }
    }

    @Test("A broken database is kept out of backups, and the one in its place is protected")
    func quarantined() async throws {
        let system = TestSystem()
        try await withProcess(of: system) { process, _ in try await opened(process).record("kept") }
        let database = system.directory.appendingPathComponent("safescan.db")
        let handle = try FileHandle(forWritingTo: database)
        try handle.write(contentsOf: Data(repeating: 0xA5, count: 100))
        try handle.close()
        try await withProcess(of: system) { process, system in
            _ = try await opened(process)
            #expect(try system.files().contains { $0.hasPrefix("quarantine/") })
            #expect(system.testAttributes.isExcluded(system.directory.appendingPathComponent("quarantine")))
            #expect(system.testAttributes.isProtected(system.directory.appendingPathComponent("safescan.db")))
        }
    }

    @Test("Files that do not take their attributes are counted in the log and keep nobody from opening; those that are gone do not count")
    func failures() async throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
        try Data().write(to: folder.url.appendingPathComponent("cache.db"))
        let refused = Guarded<[Int]>([])
        // The folder and the file refuse protection, the file refuses to be left out of backups.
        await DataFolder(folder.url, attributes: Refusing()) { count in refused.with { $0.append(count) } }.guardFiles()
        #expect(refused.with { $0 } == [3])
        await DataFolder(folder.url, attributes: Vanishing()) { count in refused.with { $0.append(count) } }.guardFiles()
        #expect(refused.with { $0 } == [3])

        let system = TestSystem()
        system.attributes = Refusing()
        try await withProcess(of: system) { process, system in
            _ = try await process.open(log: .warn)
            #expect(system.sink.records.contains { $0.level == .warn && $0.target == "files" })
        }
    }
}

private struct Refusing: FileAttributes {
    func protect(_ url: URL) throws { throw Mismatch("refused") }
    func excludeFromBackup(_ url: URL) throws { throw Mismatch("refused") }
}

private struct Vanishing: FileAttributes {
    func protect(_ url: URL) throws {
        if url.lastPathComponent == "cache.db" {
            try FileManager.default.removeItem(at: url)
            throw Mismatch("gone")
        }
    }
    func excludeFromBackup(_ url: URL) throws { throw Mismatch("refused") }
}

extension TestSystem {
    /// The files in the core's folder, by their paths in it.
    fileprivate func files() throws -> Set<String> {
        Set(try FileManager.default.subpathsOfDirectory(atPath: directory.path))
    }

    fileprivate func numbers() throws -> [String: Int] {
        try files().reduce(into: [:]) {
            let file = directory.appendingPathComponent($1).path
            $0[$1] = (try FileManager.default.attributesOfItem(atPath: file)[.systemFileNumber] as? NSNumber)?.intValue
        }
    }

    /// What is there without its attributes.
    fileprivate func unguarded() throws -> Set<String> {
        try files().filter {
            let file = directory.appendingPathComponent($0)
            let backedUp = DataFolder.notForBackups.contains($0) && !testAttributes.isExcluded(file)
            return !testAttributes.isProtected(file) || backedUp
        }
    }

    fileprivate func until(_ isReached: (TestAttributes) -> Bool) async throws {
        var changes = testAttributes.changes.makeAsyncIterator()
        while !isReached(testAttributes) {
            if await changes.next() == nil { throw Mismatch("not in time") }
        }
    }
}
