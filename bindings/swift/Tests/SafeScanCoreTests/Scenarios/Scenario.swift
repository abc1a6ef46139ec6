import Foundation
import SafeScanCore

/// A file of `bindings/scenarios`, whose README says what it may hold.
struct Scenario {
    private let config: JSON
    private let steps: [Step]

    struct Step {
        let call: String
        let args, config, expect: JSON?
        let overwrite: Overwrite?
        let error, reason: String?
        let save: [String: String]
        let turns: Int
    }

    init(_ file: URL) throws {
        let json = try JSONDecoder().decode(JSON.self, from: Data(contentsOf: file))
        (config, steps) = try json.record { fields in
            _ = try fields.required("name") { try $0.text() }
            return (
                try fields.optional("config") { $0 } ?? .object([:]),
                try fields.required("steps") { try $0.list(Step.init) }
            )
        }
        guard !steps.isEmpty else { throw Mismatch("there are no steps") }
    }

    /// Runs every step on a core with files of its own. Throws what does not match.
    func run() async throws {
        let folder = TemporaryFolder()
        func open(_ config: JSON) async throws -> SafeScan {
            try await SafeScan.open(config: config.config(directory: folder.path))
        }
        var core = try await open(config)
        var saved: [String: JSON] = [:]
        for (index, step) in steps.enumerated() {
            for turn in 0..<step.turns {
                do {
                    var result = JSON.null
                    try await step.check {
                        if step.call == "reopen" {
                            try await core.shutdown()
                            try step.overwrite?.apply(to: folder.database)
                            core = try await open(step.config ?? config)
                        } else {
                            let args = try (step.args ?? .object([:])).filledIn(turn: turn, saved: saved)
                            result = try await endingInTime(core) { [core] in
                                try await make(step.call, with: Fields(args), on: core)
                            }
                        }
                    }
                    try step.expect?.filledIn(turn: turn, saved: saved).isContained(in: result)
                    for (name, path) in step.save { saved[name] = try result.part(at: path) }
                } catch {
                    try? await core.shutdown()
                    throw Mismatch("step \(index + 1) (\(step.call)), turn \(turn + 1): \(error)")
                }
            }
        }
        try await core.shutdown()
    }
}

/// What a disk does that goes bad: the first place in a file with the text `find` holds `put`.
struct Overwrite {
    private let find, put: Data

    init(_ fields: Fields) throws {
        find = Data(try fields.required("find") { try $0.text() }.utf8)
        put = Data(try fields.required("put") { try $0.text() }.utf8)
        guard find.count == put.count else { throw Mismatch("only as many bytes can take the place of bytes") }
    }

    func apply(to file: URL) throws {
        var content = try Data(contentsOf: file)
        guard let place = content.range(of: find) else { throw Mismatch("the database has no such text") }
        content.replaceSubrange(place, with: put)
        try content.write(to: file)
    }
}

extension Scenario.Step {
    init(_ json: JSON) throws {
        self = try json.record { fields in
            // An expected null is an expectation as well.
            let expectsNull = fields.has("expect")
            return Self(
                call: try fields.required("call") { try $0.text() },
                args: try fields.optional("args") { $0 },
                config: try fields.optional("config") { $0 },
                expect: try fields.optional("expect") { $0 } ?? (expectsNull ? .null : nil),
                overwrite: try fields.optional("overwrite") { try $0.record(Overwrite.init) },
                error: try fields.optional("error") { try $0.text() },
                reason: try fields.optional("reason") { try $0.text() },
                save: try fields.optional("save") { try Fields.texts($0) } ?? [:],
                turns: try fields.optional("repeat") { try $0.integer() } ?? 1)
        }
    }

    /// Runs `work`, which must fail as the step says, if it says so.
    func check(_ work: () async throws -> Void) async throws {
        guard let error else { return try await work() }
        do {
            try await work()
        } catch let thrown as SafeScanError {
            let variant = Mirror(reflecting: thrown).children.first?.label
            guard variant == error, reason.map(thrown.reason.contains) ?? true else {
                throw Mismatch("failed with \(thrown); expected \(error), \(reason ?? "whatever reason")")
            }
            return
        }
        throw Mismatch("should have failed with \(error)")
    }
}

extension Fields {
    fileprivate static func texts(_ json: JSON) throws -> [String: String] {
        guard case .object(let fields) = json else { throw Mismatch("an object is needed, not \(json)") }
        return try fields.mapValues { try $0.text() }
    }
}
