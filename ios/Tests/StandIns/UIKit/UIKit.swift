// Stands in for Apple's UIKit on Linux: what the glue calls of it, declared as Apple documents it, and driven by tests.
import Foundation

@MainActor
public final class UIApplication {
    public enum State: Int, Sendable { case active, inactive, background }

    public static let shared = UIApplication()
    public nonisolated static let didEnterBackgroundNotification = Notification.Name("UIApplicationDidEnterBackgroundNotification")
    public nonisolated static let willEnterForegroundNotification = Notification.Name("UIApplicationWillEnterForegroundNotification")
    public nonisolated static let didBecomeActiveNotification = Notification.Name("UIApplicationDidBecomeActiveNotification")
    public nonisolated static let didReceiveMemoryWarningNotification = Notification.Name("UIApplicationDidReceiveMemoryWarningNotification")

    public private(set) var applicationState = State.active

    public func beginBackgroundTask(
        withName taskName: String?, expirationHandler handler: (@MainActor @Sendable () -> Void)? = nil
    ) -> UIBackgroundTaskIdentifier {
        guard hasTime else { return .invalid }
        last += 1
        running[last] = handler
        return UIBackgroundTaskIdentifier(rawValue: last)
    }

    public func endBackgroundTask(_ identifier: UIBackgroundTaskIdentifier) {
        precondition(running.removeValue(forKey: identifier.rawValue) != nil, "the task is ended already")
    }

    // What follows is for tests.

    public var hasTime = true
    public private(set) var running: [Int: (@MainActor @Sendable () -> Void)?] = [:]
    private var last = 0

    public func goToBackground() {
        applicationState = .background
        NotificationCenter.default.post(name: Self.didEnterBackgroundNotification, object: self)
    }

    public func comeBack() {
        applicationState = .inactive
        NotificationCenter.default.post(name: Self.willEnterForegroundNotification, object: self)
        applicationState = .active
        NotificationCenter.default.post(name: Self.didBecomeActiveNotification, object: self)
    }

    public func expire() {
        for handler in running.values { handler?() }
    }
}

public struct UIBackgroundTaskIdentifier: RawRepresentable, Hashable, Sendable {
    public static let invalid = UIBackgroundTaskIdentifier(rawValue: 0)

    public let rawValue: Int

    public init(rawValue: Int) {
        self.rawValue = rawValue
    }
}
