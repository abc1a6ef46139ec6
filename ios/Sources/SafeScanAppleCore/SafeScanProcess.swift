import Foundation
import SafeScanCore

/// What one process keeps of its core: the handle that all share, and what ties it to the system.
@MainActor
package final class SafeScanProcess {
    /// What ties the open core to the system.
    package private(set) var attachment: Attachment?
    /// How the identity of the open core came to be; nil while none is open, or if the app gave a key of its own.
    package private(set) var identityOrigin: IdentityOrigin?

    private let system: any System
    private var isInForeground: Bool
    private var observation: AnyObject?
    private var configuration: SafeScanConfig?
    /// Kept for the process's life: the Keychain takes milliseconds, and is not there at all times.
    private var identity: Identity?
    private var last: Task<Void, Never>?

    package init(_ system: any System) {
        self.system = system
        isInForeground = system.isInForeground
        observation = system.observe { [weak self] in self?.told($0) }
    }

    package func open(
        log: LogLevel? = nil, configure: @escaping @Sendable (String) -> SafeScanConfig = { SafeScanConfig(directory: $0) }
    ) async throws -> SafeScan {
        try await exclusively { [self] in
            // A process that is stopped in the middle would keep the directory's lock.
            let task = BackgroundTask("SafeScan opens", of: system.time)
            defer { task.end() }
            let wanted = configure(try system.supportFolder().appendingPathComponent("SafeScan").path)
            let current = attachment.flatMap { $0.core.isOpen ? $0 : nil }
            if current != nil, configuration?.directory != wanted.directory {
                throw SafeScanError.InvalidInput(reason: "another directory is open in this process: shut the core down first")
            }
            let folder = folder(wanted.directory, log: log)
            // Before the core is opened: one that is open takes no other key.
            let identity = wanted.identityKey == nil ? try await loadIdentity(dataExist: folder.hasDatabase) : nil
            let config = identity.map { wanted.with(identityKey: $0.key) } ?? wanted
            try await folder.make()
            let core = try await SafeScan.open(config: config)
            // The same core, or it would have been refused; one handle is enough.
            if let current { return current.core }
            await folder.guardFiles()
            attachment?.close()
            configuration = config
            identityOrigin = identity?.origin
            let tied = Attachment(core, folder: folder, system: system, isInForeground: isInForeground, log: log)
            attachment = tied
            // Nobody gets a core that is awake in the background.
            await tied.settled()
            return core
        }
    }

    package func shutdown() async throws {
        try await exclusively { [self] in try await close() }
    }

    package func forgetIdentity() async throws {
        try await exclusively { [self] in
            try await close()
            identity = nil
            try await remove(from: system.keys)
        }
    }

    private func folder(_ directory: String, log: LogLevel?) -> DataFolder {
        let sink = log == nil || log == .error ? nil : system.logSink
        return DataFolder(URL(fileURLWithPath: directory, isDirectory: true), attributes: system.attributes) { count in
            try? sink?.log(level: .warn, target: "files", text: "protection or backup not set count=\(count)")
        }
    }

    private func told(_ event: SystemEvent) {
        switch event {
        case .enteredForeground: isInForeground = true
        case .enteredBackground: isInForeground = false
        case .memoryWarning: break
        }
        attachment?.told(event)
    }

    private func close() async throws {
        guard let tied = attachment else { return }
        attachment = nil
        identityOrigin = nil
        tied.close()
        try await tied.core.shutdown()
    }

    private func loadIdentity(dataExist: Bool) async throws -> Identity {
        if let identity { return identity }
        let loaded = try await load(from: system.keys, dataExist: dataExist)
        identity = loaded
        return loaded
    }

    // Away from the main thread.
    private nonisolated func load(from keys: any IdentityKeyStore, dataExist: Bool) async throws -> Identity {
        try Identity.load(from: keys, dataExist: dataExist)
    }

    private nonisolated func remove(from keys: any IdentityKeyStore) async throws {
        try keys.remove()
    }

    /// Runs `call` when those before it are done, and to its end, whoever goes away.
    private func exclusively<Value: Sendable>(_ call: @escaping @MainActor () async throws -> Value) async throws -> Value {
        let before = last
        let own = Task {
            await before?.value
            return try await call()
        }
        last = Task { _ = await own.result }
        return try await own.value
    }
}

extension SafeScan {
    /// Whether the core was not shut down.
    fileprivate var isOpen: Bool { (try? cacheStatistics()) != nil }
}
