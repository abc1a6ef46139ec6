// Stands in for Apple's Security on Linux: a Keychain in memory, with what the glue calls of it, declared as Apple documents
// it, and driven by tests.
import Foundation

public typealias CFTypeRef = AnyObject
public typealias CFString = NSString
public typealias CFDictionary = NSDictionary
public typealias OSStatus = Int32

public let errSecSuccess: OSStatus = 0
public let errSecDuplicateItem: OSStatus = -25_299
public let errSecItemNotFound: OSStatus = -25_300
public let errSecInteractionNotAllowed: OSStatus = -25_308
public let errSecDecode: OSStatus = -26_275

public nonisolated(unsafe) let kSecClass: CFString = "class"
public nonisolated(unsafe) let kSecClassGenericPassword: CFString = "genp"
public nonisolated(unsafe) let kSecAttrService: CFString = "svce"
public nonisolated(unsafe) let kSecAttrAccount: CFString = "acct"
public nonisolated(unsafe) let kSecAttrAccessible: CFString = "pdmn"
public nonisolated(unsafe) let kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly: CFString = "cku"
public nonisolated(unsafe) let kSecUseDataProtectionKeychain: CFString = "nleg"
public nonisolated(unsafe) let kSecReturnData: CFString = "r_Data"
public nonisolated(unsafe) let kSecMatchLimit: CFString = "m_Limit"
public nonisolated(unsafe) let kSecMatchLimitOne: CFString = "m_LimitOne"
public nonisolated(unsafe) let kSecValueData: CFString = "v_Data"

public func SecItemCopyMatching(_ query: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus {
    StandInKeychain.shared.answer { items in
        guard let item = items[StandInKeychain.key(query)] else { return errSecItemNotFound }
        result?.pointee = item[kSecValueData as String].map { $0 as AnyObject }
        return errSecSuccess
    }
}

public func SecItemAdd(_ attributes: CFDictionary, _ result: UnsafeMutablePointer<CFTypeRef?>?) -> OSStatus {
    StandInKeychain.shared.answer { items in
        let key = StandInKeychain.key(attributes)
        guard items[key] == nil else { return errSecDuplicateItem }
        items[key] = StandInKeychain.attributes(attributes)
        return errSecSuccess
    }
}

public func SecItemUpdate(_ query: CFDictionary, _ attributesToUpdate: CFDictionary) -> OSStatus {
    StandInKeychain.shared.answer { items in
        let key = StandInKeychain.key(query)
        guard let item = items[key] else { return errSecItemNotFound }
        items[key] = item.merging(StandInKeychain.attributes(attributesToUpdate)) { $1 }
        return errSecSuccess
    }
}

public func SecItemDelete(_ query: CFDictionary) -> OSStatus {
    StandInKeychain.shared.answer { items in
        items.removeValue(forKey: StandInKeychain.key(query)) == nil ? errSecItemNotFound : errSecSuccess
    }
}

/// What tests do with the Keychain.
public final class StandInKeychain: @unchecked Sendable {
    public static let shared = StandInKeychain()

    private let lock = NSLock()
    private var held: [String: [String: Any]] = [:]
    private var failing: OSStatus?

    /// Every call fails with this status.
    public var failure: OSStatus? {
        get { lock.withLock { failing } }
        set { lock.withLock { failing = newValue } }
    }

    /// The attributes of all items.
    public var items: [[String: Any]] { lock.withLock { Array(held.values) } }

    public func clear() { lock.withLock { held = [:] } }

    func answer(_ call: (inout [String: [String: Any]]) -> OSStatus) -> OSStatus {
        lock.withLock { failing ?? call(&held) }
    }

    static func attributes(_ given: CFDictionary) -> [String: Any] { given as? [String: Any] ?? [:] }

    /// What makes an item one of its own.
    static func key(_ attributes: CFDictionary) -> String {
        [kSecClass, kSecAttrService, kSecAttrAccount].map { "\(attributes[$0] ?? "")" }.joined(separator: "/")
    }
}
