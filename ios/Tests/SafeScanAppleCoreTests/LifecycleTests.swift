import SafeScanAppleCore
import SafeScanCore
import Testing

@Suite("Foreground and background", .timeLimit(.minutes(1)))
@MainActor
struct LifecycleTests {
    let system = TestSystem()

    @Test("In the background it sleeps within the time it asked for; back in the foreground it is awake")
    func sleeps() async throws {
        try await withProcess(of: system) { process, system in
            let core = try await process.open()
            let tied = try #require(process.attachment)
            #expect(try system.openFiles().contains("safescan.db"))
            system.tell(.enteredBackground)
            // At once, before the system's notification is handled.
            #expect(system.testTime.begun.last == "SafeScan goes to sleep" && system.testTime.isRunning)
            await tied.settled()
            #expect(tied.isAwake == false && !system.testTime.isRunning)
            #expect(try system.openFiles() == [])
            #expect(core.cause(of: .localStorage) == .suspended)
            try await core.record("meanwhile")
            #expect(try system.openFiles() == [])

            system.tell(.enteredForeground)
            await tied.settled()
            #expect(tied.isAwake == true)
            #expect(core.cause(of: .localStorage) == HealthCause.none)
            #expect(try await core.statistics().scans == 1)
        }
    }

    @Test("Time that runs out is given back by the system's call, once; the core goes on to sleep")
    func expires() async throws {
        try await withProcess(of: system) { process, system in
            _ = try await process.open()
            system.tell(.enteredBackground)
            system.testTime.expire()
            #expect(!system.testTime.isRunning)
            await process.attachment?.settled()
            #expect(process.attachment?.isAwake == false)
            #expect(try system.openFiles() == [])
        }
    }

    @Test("Where there is no time in the background, it sleeps as fast as it can")
    func noTime() async throws {
        try await withProcess(of: system) { process, system in
            _ = try await process.open()
            system.testTime.isOver = true
            system.tell(.enteredBackground)
            await process.attachment?.settled()
            #expect(try system.openFiles() == [])
        }
    }

    @Test("A process that was launched in the background holds no file open from the start")
    func launchedInBackground() async throws {
        try await withProcess(of: TestSystem(inForeground: false)) { process, system in
            let core = try await process.open()
            #expect(try system.openFiles() == [])
            try await core.record("by a refresh")
            #expect(try await core.statistics().scans == 1)
            system.tell(.enteredForeground)
            await process.attachment?.settled()
            #expect(core.cause(of: .localStorage) == HealthCause.none)
        }
    }

    @Test("An app that goes to the background while the core opens gets one that sleeps, within the time of opening")
    func backgroundDuringOpen() async throws {
        try await withProcess(of: system) { process, system in
            let core = try await process.open { directory in
                MainActor.assumeIsolated {
                    #expect(system.testTime.isRunning)
                    system.tell(.enteredBackground)
                }
                return SafeScanConfig(directory: directory)
            }
            #expect(process.attachment?.isAwake == false)
            #expect(try system.openFiles() == [])
            #expect(core.cause(of: .localStorage) == .suspended)
            #expect(!system.testTime.isRunning)
        }
    }

    @Test("An app that comes back while the core opens gets one that is awake")
    func foregroundDuringOpen() async throws {
        try await withProcess(of: TestSystem(inForeground: false)) { process, system in
            _ = try await process.open { directory in
                MainActor.assumeIsolated { system.tell(.enteredForeground) }
                return SafeScanConfig(directory: directory)
            }
            #expect(process.attachment?.isAwake == true)
        }
    }

    @Test("There and back, faster than the core: the last word counts, and all time is given back")
    func races() async throws {
        try await withProcess(of: system) { process, system in
            let core = try await process.open()
            let tied = try #require(process.attachment)
            var random = SplitMix(seed: 6)
            for round in 0..<200 {
                let events = Int.random(in: 1...5, using: &random)
                var last = SystemEvent.memoryWarning
                for _ in 0..<events {
                    last = Bool.random(using: &random) ? .enteredForeground : .enteredBackground
                    system.tell(last)
                    // So that the next comes somewhere in the middle of a step.
                    for _ in 0..<Int.random(in: 0...30, using: &random) { await Task.yield() }
                    if round % 10 == 0 { system.testTime.expire() }
                }
                if round % 20 == 0 { try await core.record("round \(round)") }
                await tied.settled()
                #expect(tied.isAwake == (last == .enteredForeground))
                #expect(!system.testTime.isRunning)
                if last == .enteredBackground { #expect(try system.openFiles() == []) }
            }
            #expect(try await core.statistics().scans == 10)
        }
    }

    @Test("What is told after the core's end changes nothing")
    func afterTheEnd() async throws {
        try await withProcess(of: system) { process, system in
            let core = try await process.open()
            let tied = try #require(process.attachment)
            try await core.shutdown()
            system.tell(.enteredBackground)
            await tied.settled()
            #expect(!system.testTime.isRunning)
            #expect(system.network == nil, "it has let go of the system")
            system.tell(.memoryWarning)
            try await process.shutdown()
            system.tell(.enteredForeground)
        }
    }

    @Test("A shutdown on the way to the background gives the time back")
    func shutdownInBetween() async throws {
        try await withProcess(of: system) { process, system in
            _ = try await process.open()
            let tied = try #require(process.attachment)
            system.tell(.enteredBackground)
            try await process.shutdown()
            await tied.settled()
            #expect(!system.testTime.isRunning)
            #expect(try system.openFiles() == [])
        }
    }

    @Test("Files that cannot be opened just now are opened later")
    func unavailable() async throws {
        try await withProcess(of: system) { process, system in
            let core = try await process.open()
            let tied = try #require(process.attachment)
            system.tell(.enteredBackground)
            await tied.settled()
            core.testFailStorage(fail: true)
            system.tell(.enteredForeground)
            await tied.settled()
            core.testFailStorage(fail: false)
            try await core.record("later")
            #expect(try await core.statistics().scans == 1)
        }
    }

    @Test("Memory is given back when the system wants it")
    func memory() async throws {
        try await withProcess(of: system) { process, system in
            let core = try await process.open()
            for number in 0..<100 { try core.cacheSet(key: "\(number)", value: "value") }
            #expect(try core.cacheStatistics().entries == 100)
            system.tell(.memoryWarning)
            #expect(try core.cacheStatistics().entries == 0)
        }
    }
}

/// The same numbers in every run.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
