import Foundation
import SafeScanCore

extension SafeScanConfig {
    /// The same with this identity key.
    package func with(identityKey: Data) -> SafeScanConfig {
        // Records cannot be changed: a field that is added to the core's must be added here, and a test looks at that.
        SafeScanConfig(
            directory: directory, identityKey: identityKey, unlinkableVotes: unlinkableVotes, votableKinds: votableKinds,
            maxStorage: maxStorage, cleanupThreshold: cleanupThreshold, votesPerMinute: votesPerMinute,
            cacheCapacity: cacheCapacity, cacheTtlMs: cacheTtlMs, sync: sync)
    }
}
