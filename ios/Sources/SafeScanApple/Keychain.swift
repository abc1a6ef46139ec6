import Foundation
import SafeScanAppleCore
import Security

/// The identity key as an item of the Keychain: readable from the device's first unlocking on, so that work in the
/// background finds it, and never on another device.
struct Keychain: IdentityKeyStore {
    private var item: [String: Any] {
        [
            kSecClass as String: kSecClassGenericPassword,
            kSecAttrService as String: "dev.safescan.identity",
            kSecAttrAccount as String: "identity-key",
            // On macOS the one that knows of accessibility; on iOS there is no other.
            kSecUseDataProtectionKeychain as String: true,
        ]
    }

    func read() throws(IdentityKeyUnavailableError) -> StoredKey {
        let query = item.merging([kSecReturnData as String: true, kSecMatchLimit as String: kSecMatchLimitOne]) { $1 }
        var result: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &result)
        switch status {
        case errSecItemNotFound: return .nothing
        case errSecDecode: return .unreadable
        default:
            try check(status)
            return (result as? Data).map(StoredKey.key) ?? .unreadable
        }
    }

    func write(_ key: Data) throws(IdentityKeyUnavailableError) {
        let value: [String: Any] = [
            kSecValueData as String: key,
            kSecAttrAccessible as String: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
        ]
        let status = SecItemAdd(item.merging(value) { $1 } as CFDictionary, nil)
        try check(status == errSecDuplicateItem ? SecItemUpdate(item as CFDictionary, value as CFDictionary) : status)
    }

    func remove() throws(IdentityKeyUnavailableError) {
        let status = SecItemDelete(item as CFDictionary)
        if status != errSecItemNotFound { try check(status) }
    }

    private func check(_ status: OSStatus) throws(IdentityKeyUnavailableError) {
        switch status {
        case errSecSuccess: return
        // Nobody is there to unlock the device.
        case errSecInteractionNotAllowed: throw IdentityKeyUnavailableError(.deviceLocked)
        default: throw IdentityKeyUnavailableError(.keychain(status: status))
        }
    }
}
