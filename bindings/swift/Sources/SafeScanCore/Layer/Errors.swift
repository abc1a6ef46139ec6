import Foundation

extension SafeScanError: LocalizedError {
    /// What went wrong, for the developer: names the field or the step, and never holds content, ids or paths.
    public var reason: String {
        switch self {
        case .InvalidInput(let reason), .StorageFull(let reason), .StorageUnavailable(let reason),
            .StorageIncompatible(let reason), .Offline(let reason), .Unauthorized(let reason),
            .RateLimited(let reason, _), .Stopped(let reason), .Internal(let reason):
            reason
        }
    }

    /// The `reason`, so that `error.localizedDescription` reads well in a log.
    public var errorDescription: String? { reason }
}

extension ListenerError: LocalizedError {
    /// The reason given by the listener.
    public var errorDescription: String? {
        switch self {
        case .Failed(let reason): reason
        }
    }
}
