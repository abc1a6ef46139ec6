import Foundation

extension SafeScan {
    /// Takes over what AsyncStorage left in this app's own directory; see ``importAsyncStorage(source:)``.
    ///
    /// ```swift
    /// let report = try await core.importAsyncStorage()
    /// if report.complete { _ = try await core.confirmImport() }
    /// ```
    ///
    /// - Throws: `SafeScanError.StorageUnavailable` while an original cannot be read, `.StorageFull`.
    public func importAsyncStorage() async throws -> ImportReport {
        let source = AsyncStorageSource(directory: NSHomeDirectory(), bundleId: Bundle.main.bundleIdentifier)
        return try await importAsyncStorage(source: source)
    }
}
