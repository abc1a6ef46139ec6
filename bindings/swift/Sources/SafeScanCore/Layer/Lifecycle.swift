import Foundation

extension SafeScanConfig {
    /// The default configuration, with the databases in this folder (a file URL; made if it is missing).
    public init(folder: URL) {
        self.init(directory: folder.path)
    }
}

extension SafeScan {
    /// Opens a core with the default configuration, and its databases in this folder.
    ///
    /// ```swift
    /// let support = try FileManager.default.url(
    ///     for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
    /// let core = try await SafeScan.open(in: support.appendingPathComponent("SafeScan"))
    /// ```
    ///
    /// - Throws: `SafeScanError`, as ``open(config:)``.
    public static func open(in folder: URL) async throws -> SafeScan {
        try await open(config: SafeScanConfig(folder: folder))
    }

    /// Opens a core for the duration of `body` and shuts it down afterwards, whether `body` returns or throws.
    ///
    /// For programs that do one thing: tools, tests, extensions. An app keeps one core for its whole life instead: one
    /// that is open elsewhere in the process on the same directory is the same core, and would be shut down as well.
    ///
    /// ```swift
    /// let scans = try await SafeScan.with(config) { core in
    ///     try await core.statistics().scans
    /// }
    /// ```
    ///
    /// - Throws: What `body` throws, or `SafeScanError` if the core cannot be opened.
    public static func with<Value>(
        _ config: SafeScanConfig,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (SafeScan) async throws -> sending Value
    ) async throws -> sending Value {
        let core = try await open(config: config)
        do {
            let result = try await body(core)
            try await core.shutdown()
            return result
        } catch {
            // What went wrong first is what the caller must know.
            try? await core.shutdown()
            throw error
        }
    }
}
