import Foundation
import SafeScanAppleCore

#if canImport(UIKit)
    import UIKit

    /// Whether the app is in the foreground, and what the system tells it. An app with scenes is told like one without, but
    /// it is in the background only when no other scene is in use.
    @MainActor
    enum AppState {
        static var isInForeground: Bool { UIApplication.shared.applicationState != .background }

        static func observe(_ told: @escaping @MainActor (SystemEvent) -> Void) -> AnyObject {
            NotificationObservations([
                (UIApplication.didEnterBackgroundNotification, .enteredBackground),
                (UIApplication.willEnterForegroundNotification, .enteredForeground),
                // At a launch without scenes it is the only one.
                (UIApplication.didBecomeActiveNotification, .enteredForeground),
                (UIApplication.didReceiveMemoryWarningNotification, .memoryWarning),
            ]) { event in
                // The system posts these in the main thread, and waits: what must be done at once is.
                MainActor.assumeIsolated {
                    if event == .enteredBackground, UIApplication.shared.applicationState == .active { return }
                    told(event)
                }
            }
        }
    }

    /// The system's leave to go on for a while in the background.
    @MainActor
    final class AppTime: BackgroundTime {
        func begin(_ name: String, expired: @escaping @MainActor @Sendable () -> Void) -> Int? {
            let id = UIApplication.shared.beginBackgroundTask(withName: name, expirationHandler: expired)
            return id == .invalid ? nil : id.rawValue
        }

        func end(_ id: Int) {
            UIApplication.shared.endBackgroundTask(UIBackgroundTaskIdentifier(rawValue: id))
        }
    }

    /// Observes for as long as it lives.
    private final class NotificationObservations {
        private let tokens: [any NSObjectProtocol]

        init(_ names: [(Notification.Name, SystemEvent)], _ told: @escaping @Sendable (SystemEvent) -> Void) {
            tokens = names.map { name, event in
                NotificationCenter.default.addObserver(forName: name, object: nil, queue: nil) { _ in told(event) }
            }
        }

        deinit { for token in tokens { NotificationCenter.default.removeObserver(token) } }
    }
#else
    /// An app on macOS runs on in the background.
    @MainActor
    enum AppState {
        static let isInForeground = true

        static func observe(_ told: @escaping @MainActor (SystemEvent) -> Void) -> AnyObject { NSObject() }
    }

    @MainActor
    final class AppTime: BackgroundTime {
        func begin(_ name: String, expired: @escaping @MainActor @Sendable () -> Void) -> Int? { nil }
        func end(_ id: Int) {}
    }
#endif
