import Foundation
import SafeScanAppleCore
import SafeScanCore

/// The system as Apple's frameworks give it.
@MainActor
final class AppleSystem: System {
    let keys: any IdentityKeyStore = Keychain()
    let attributes: any FileAttributes = SystemAttributes()
    let time: any BackgroundTime = AppTime()
    let logSink: any LogSink = SystemLog()

    var isInForeground: Bool { AppState.isInForeground }

    func supportFolder() throws -> URL {
        try FileManager.default.url(for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
    }

    func observe(_ told: @escaping @MainActor (SystemEvent) -> Void) -> AnyObject { AppState.observe(told) }

    func watchNetwork(_ told: @escaping @Sendable (NetworkPath) -> Void) -> AnyObject { PathWatch(told) }
}

/// Attributes as the file system keeps them.
///
/// To change them the system may open a file and close it, which takes from this process its advisory locks on it. That
/// does no harm here: SQLite counts its own within a process, and other processes are kept away by the folder's `lock`,
/// which is of the kind that stays.
struct SystemAttributes: FileAttributes {
    func protect(_ url: URL) throws {
        try FileManager.default.setAttributes(
            [.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication], ofItemAtPath: url.path)
    }

    func excludeFromBackup(_ url: URL) throws {
        var url = url
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try url.setResourceValues(values)
    }
}
