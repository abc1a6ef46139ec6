import Foundation

/// Attributes of files that only Apple's systems have.
package protocol FileAttributes: Sendable {
    /// Lets the file, or what is made in the folder from now on, be read from the device's first unlocking on.
    func protect(_ url: URL) throws
    /// Keeps the file, or the folder with everything in it, out of backups.
    func excludeFromBackup(_ url: URL) throws
}

/// The core's folder: which of its files are protected, which travel in a backup.
///
/// The system locks files that are protected more strictly while the device is locked, even those that are open, and a
/// core that works in the background would lose them in the middle of a transaction. History, votes and settings are the
/// user's and should travel to a new phone; caches, locks and broken databases should not.
package struct DataFolder: Sendable {
    package let url: URL
    private let attributes: any FileAttributes
    private let refused: @Sendable (Int) -> Void

    /// `refused` is told how many files did not take their attributes, when there are any.
    package init(_ url: URL, attributes: any FileAttributes, refused: @escaping @Sendable (Int) -> Void = { _ in }) {
        (self.url, self.attributes, self.refused) = (url, attributes, refused)
    }

    package var hasDatabase: Bool { FileManager.default.fileExists(atPath: url.appendingPathComponent("safescan.db").path) }

    /// Makes the folder, protected before there is a file in it: new files take after their folder.
    package func make() async throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        await guardFiles()
    }

    /// Protects the folder and every file in it, and keeps out of backups what does not belong there. To be called again
    /// when files may have taken others' places, for attributes are a file's and not its name's. What does not take them
    /// is no reason not to open the core: the app's own default is mostly the same. It is told, and tried again next time.
    package func guardFiles() async {
        var failed = 0
        func attempt(_ file: URL, _ change: (URL) throws -> Void) {
            // Some are gone before their turn comes.
            do { try change(file) } catch { if FileManager.default.fileExists(atPath: file.path) { failed += 1 } }
        }
        attempt(url, attributes.protect)
        for file in FileManager.default.enumerator(at: url, includingPropertiesForKeys: nil)?.allObjects as? [URL] ?? [] {
            attempt(file, attributes.protect)
        }
        for name in Self.notForBackups {
            let file = url.appendingPathComponent(name)
            if FileManager.default.fileExists(atPath: file.path) { attempt(file, attributes.excludeFromBackup) }
        }
        if failed > 0 { refused(failed) }
    }

    /// The same files as on Android. A database's log belongs to it and travels with it, its index is made anew.
    package static let notForBackups = [
        "cache.db", "cache.db-journal", "cache.db-wal", "cache.db-shm", "safescan.db-shm", "safescan.db.rebuilding", "lock",
        "quarantine",
    ]
}
