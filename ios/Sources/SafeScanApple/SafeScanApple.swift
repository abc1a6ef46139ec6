import Foundation
import SafeScanAppleCore
import SafeScanCore

/// The core of an iOS app: opened where its files belong, with an identity key that the Keychain guards, and tied to what
/// the system tells. It sleeps while the app is in the background, knows of the network, and gives memory back.
///
/// ```swift
/// let core = try await SafeScanApple.open { directory in
///     SafeScanConfig(directory: directory, sync: SyncConfig(baseUrl: "https://votes.example.com"))
/// }
/// ```
///
/// Call from any task: work on files and the Keychain is kept off the main thread. For an app and not for its extensions,
/// which have a life of their own: they open a core with `SafeScan.with`, in another directory. On macOS there is no sleep.
public enum SafeScanApple {
    @MainActor static let process = SafeScanProcess(AppleSystem())

    /// Opens the core, or gives the one that this process has open: everybody shares one handle.
    ///
    /// The databases lie in `SafeScan` in Application Support, readable from the device's first unlocking on, caches
    /// excluded from backups; the identity key lies in the Keychain. While the app is in the background, the core holds no
    /// file open; calls made meanwhile open files for their own duration.
    ///
    /// - Parameters:
    ///   - log: Writes records of this level and more important ones to the system's log, in the category `SafeScan`.
    ///     Taken from the call that opens the core.
    ///   - configure: Makes the configuration for the directory it is given. An `identityKey` given here is used in place
    ///     of the Keychain's.
    /// - Throws: `SafeScanError` as `SafeScan.open` does, `.InvalidInput` as well if the core is open with another
    ///   configuration; ``IdentityKeyUnavailableError`` before the device's first unlocking, or if the Keychain fails: try
    ///   again later. `CocoaError` if the folder cannot be made.
    public static func open(
        log: LogLevel? = nil,
        configure: @escaping @Sendable (_ directory: String) -> SafeScanConfig = { SafeScanConfig(directory: $0) }
    ) async throws -> SafeScan {
        try await process.open(log: log, configure: configure)
    }

    /// How the identity of the open core came to be; nil while none is open, or if the app gave a key of its own.
    /// ``IdentityOrigin/replaced`` is worth a word to the user: votes cast before can no longer be changed on the server.
    public static var identityOrigin: IdentityOrigin? {
        get async { await process.identityOrigin }
    }

    /// Shuts the core down and takes it from everything the system tells. `open` opens it anew.
    public static func shutdown() async throws {
        try await process.shutdown()
    }

    /// Shuts the core down and forgets its identity key; the data stay. The next `open` makes another, so that the server
    /// takes this installation for another person. For an app's "reset my identity", and for a device whose Keychain failed
    /// for good.
    ///
    /// - Throws: ``IdentityKeyUnavailableError`` if it cannot be removed.
    public static func forgetIdentity() async throws {
        try await process.forgetIdentity()
    }
}
