import Foundation

/// How the identity that makes this device's votes its own came to be.
public enum IdentityOrigin: Sendable {
    /// The one that this installation had before. The Keychain may keep it even when the app is deleted and installed
    /// again.
    case kept

    /// Made just now, for a new installation.
    case new

    /// Made just now, though there are data: they came from a backup or from another device, or the Keychain lost its
    /// key. The history and the votes are all there, but the server takes this installation for another person.
    case replaced
}

/// The identity key cannot be read or made at the moment. Nothing was changed; try again later.
public struct IdentityKeyUnavailableError: LocalizedError, Equatable {
    /// Why.
    public enum Cause: Equatable, Sendable {
        /// The device was started and not unlocked since: the system made the process before its user came. Try again
        /// when it tells that protected data are available.
        case deviceLocked

        /// The Keychain failed, with this status. If it never works on a device, `SafeScanApple.forgetIdentity` starts
        /// afresh.
        case keychain(status: Int32)
    }

    public let cause: Cause

    public init(_ cause: Cause) {
        self.cause = cause
    }

    public var errorDescription: String? {
        switch cause {
        case .deviceLocked: "the identity key cannot be used before the device is unlocked for the first time"
        case .keychain(let status): "the identity key cannot be used at the moment: the Keychain says \(status)"
        }
    }
}

/// What a store of keys holds.
package enum StoredKey: Equatable, Sendable {
    case nothing
    /// Something that can never be read again.
    case unreadable
    case key(Data)
}

/// Where the identity key is kept. What fails just now is thrown; what is lost for good is `unreadable`.
package protocol IdentityKeyStore: Sendable {
    func read() throws(IdentityKeyUnavailableError) -> StoredKey
    /// Puts the key in the place of whatever is there.
    func write(_ key: Data) throws(IdentityKeyUnavailableError)
    func remove() throws(IdentityKeyUnavailableError)
}

/// A key for the core, and where it comes from.
package struct Identity: Equatable, Sendable {
    package let key: Data
    package let origin: IdentityOrigin

    /// The key in the store; made and written if there is none. `dataExist` tells whether a new one takes an earlier
    /// one's place.
    ///
    /// Two things must never be mixed up. What can never be read again is replaced, so that the app goes on working.
    /// What cannot be read just now is left alone: a new key would make another person of the user, for good.
    package static func load(from store: any IdentityKeyStore, dataExist: Bool) throws(IdentityKeyUnavailableError) -> Identity {
        switch try store.read() {
        case .key(let key) where key.count == size: Identity(key: key, origin: .kept)
        case .nothing where !dataExist: try make(in: store, origin: .new)
        case .nothing, .unreadable, .key: try make(in: store, origin: .replaced)
        }
    }

    private static func make(in store: any IdentityKeyStore, origin: IdentityOrigin) throws(IdentityKeyUnavailableError) -> Identity {
        // The generator is the system's own, fit for secrets.
        var random = SystemRandomNumberGenerator()
        let key = Data((0..<size).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        try store.write(key)
        return Identity(key: key, origin: origin)
    }

    /// What the core wants.
    private static let size = 32
}
