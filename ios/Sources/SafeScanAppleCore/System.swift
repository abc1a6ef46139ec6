import Foundation
import SafeScanCore

/// What the system tells an app.
package enum SystemEvent: Equatable, Sendable {
    case enteredForeground
    case enteredBackground
    /// The app is near its end for the memory it holds.
    case memoryWarning
}

/// Everything that the glue wants of the system it runs on. What keeps something under way lasts as long as the object
/// that the call returns.
@MainActor
package protocol System: AnyObject {
    var keys: any IdentityKeyStore { get }
    var attributes: any FileAttributes { get }
    var time: any BackgroundTime { get }
    var logSink: any LogSink { get }
    /// Whether the app is in the foreground at this moment.
    var isInForeground: Bool { get }
    /// The folder for an app's own files, made if it is missing.
    func supportFolder() throws -> URL
    func observe(_ told: @escaping @MainActor (SystemEvent) -> Void) -> AnyObject
    /// `told` is called from any thread.
    func watchNetwork(_ told: @escaping @Sendable (NetworkPath) -> Void) -> AnyObject
}
