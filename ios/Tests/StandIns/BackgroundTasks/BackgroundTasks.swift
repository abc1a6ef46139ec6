// Stands in for Apple's BackgroundTasks on Linux: what the glue calls of it, declared as Apple documents it, and driven by
// tests.
import Foundation

open class BGTask {
    public let identifier: String
    public var expirationHandler: (() -> Void)?

    init(identifier: String) {
        self.identifier = identifier
    }

    public func setTaskCompleted(success: Bool) {
        precondition(completed == nil, "the task is completed already")
        completed = success
        completion.yield(success)
    }

    // What follows is for tests.

    public private(set) var completed: Bool?
    public let (completions, completion) = AsyncStream<Bool>.makeStream()
}

public final class BGAppRefreshTask: BGTask {}

open class BGTaskRequest {
    public let identifier: String
    public var earliestBeginDate: Date?

    init(identifier: String) {
        self.identifier = identifier
    }
}

public final class BGAppRefreshTaskRequest: BGTaskRequest {
    public override init(identifier: String) {
        super.init(identifier: identifier)
    }
}

public final class BGTaskScheduler: @unchecked Sendable {
    public struct Error: Swift.Error, Equatable {
        public enum Code: Sendable { case notPermitted, tooManyPendingTaskRequests, unavailable }

        public let code: Code
    }

    public static let shared = BGTaskScheduler()

    public func register(
        forTaskWithIdentifier identifier: String, using queue: DispatchQueue?, launchHandler: @escaping (BGTask) -> Void
    ) -> Bool {
        guard permitted.contains(identifier) else { return false }
        precondition(handlers[identifier] == nil, "there is a handler already")
        handlers[identifier] = launchHandler
        return true
    }

    public func submit(_ request: BGTaskRequest) throws {
        if !isAvailable { throw Error(code: .unavailable) }
        pending[request.identifier] = request
    }

    public func cancel(taskRequestWithIdentifier identifier: String) {
        pending[identifier] = nil
    }

    // What follows is for tests, in the main thread.

    public var permitted: Set<String> = []
    public var isAvailable = true
    public private(set) var pending: [String: BGTaskRequest] = [:]
    private var handlers: [String: (BGTask) -> Void] = [:]

    /// Grants what is pending, as the system does when it sees fit.
    public func grant(_ identifier: String) -> BGTask? {
        guard pending.removeValue(forKey: identifier) != nil, let handler = handlers[identifier] else { return nil }
        let task = BGAppRefreshTask(identifier: identifier)
        handler(task)
        return task
    }
}
