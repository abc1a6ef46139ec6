import Foundation
import SafeScanCore

/// Ties a core to what the system tells: foreground and background, the network, memory. Closed, it is tied no longer, and
/// the core goes on. After the core's shutdown it closes itself at the next thing the system tells.
///
/// The way to the background and back is walked one step after the other, and of wishes that come meanwhile only the latest
/// counts.
@MainActor
package final class Attachment {
    package let core: SafeScan
    /// Whether the core was told to be awake, and did it; nil before it was told anything.
    package private(set) var isAwake: Bool?

    private let folder: DataFolder
    private let time: any BackgroundTime
    private var wantsAwake: Bool
    private var task: BackgroundTask?
    private var walk: Task<Void, Never>?
    private var isClosed = false
    private var network: AnyObject?
    private let reader: EventReader
    private let watchesFiles: Task<Void, Never>

    package init(_ core: SafeScan, folder: DataFolder, system: any System, isInForeground: Bool, log: LogLevel?) {
        (self.core, self.folder, time, wantsAwake) = (core, folder, system.time, isInForeground)
        // From now on: events that the app has not read yet are the app's.
        let reader = core.eventReader(newsOnly: true)
        self.reader = reader
        watchesFiles = Task.detached {
            while let events = try? await reader.next(), !events.isEmpty {
                if events.contains(where: \.mayMakeFiles) { await folder.guardFiles() }
            }
        }
        tell { if let log { try core.setLogSink(level: log, sink: system.logSink) } }
        network = system.watchNetwork(networkTeller(for: core))
        told(isInForeground ? .enteredForeground : .enteredBackground)
    }

    package func told(_ event: SystemEvent) {
        guard !isClosed else { return }
        switch event {
        case .enteredForeground:
            wantsAwake = true
            walkOn()
        case .enteredBackground:
            wantsAwake = false
            // At once: the system may stop the process as soon as its notification is handled.
            if task?.isRunning != true { task = BackgroundTask("SafeScan goes to sleep", of: time) }
            walkOn()
        case .memoryWarning:
            tell { try core.memoryPressure(level: .critical) }
        }
    }

    /// Waits until the core did what the app's way to the foreground or the background asks of it.
    package func settled() async {
        while let walk { await walk.value }
    }

    package func close() {
        isClosed = true
        network = nil
        watchesFiles.cancel()
        reader.finish()
    }

    private func walkOn() {
        guard walk == nil else { return }
        walk = Task {
            while !isClosed, isAwake != wantsAwake {
                let awake = wantsAwake
                await step(awake: awake)
                isAwake = awake
            }
            walk = nil
            task?.end()
            task = nil
        }
    }

    private func step(awake: Bool) async {
        do {
            if awake {
                try await core.resume()
            } else {
                try await core.suspend()
                // A backup is made of what lies there now: the cache, for one, is made when it is first used.
                await folder.guardFiles()
            }
        } catch {
            failed(error)
        }
    }

    private func tell(_ call: () throws -> Void) {
        do { try call() } catch { failed(error) }
    }

    private func failed(_ error: any Error) {
        // Files that cannot be closed or opened just now: the core says so in its health, and the next call tries anew.
        if case SafeScanError.Stopped = error { close() }
    }
}

/// Tells the core what is news of the network. The system's calls come one after the other.
private func networkTeller(for core: SafeScan) -> @Sendable (NetworkPath) -> Void {
    let edges = Guarded(NetworkEdges())
    return { path in
        // A core that was shut down has no use for it.
        if let state = edges.with({ $0.news(in: path) }) { try? core.networkChanged(state: state) }
    }
}

extension CoreEvent {
    /// Whether there may be new files, some in the places of others, without their attributes.
    fileprivate var mayMakeFiles: Bool {
        switch self {
        case .repaired, .erased, .syncFinished, .missed: true
        default: false
        }
    }
}
