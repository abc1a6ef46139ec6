import Foundation
import SafeScanCore

/// Why the phone gives up.
struct Trouble: LocalizedError {
    let errorDescription: String?

    init(_ text: String) {
        errorDescription = text
    }
}

/// The command line.
enum Order {
    case work(directory: String, payloads: String, now: UnixMillis)
    case drive(directory: String, server: String, identity: Data?, token: String?)

    init(_ arguments: [String]) throws {
        var words = arguments.filter { $0 != "--drive" }.makeIterator()
        var options: [String: String] = [:]
        while let name = words.next(), let value = words.next() { options[name] = value }
        let directory = options["--directory"]
        if arguments.contains("--drive"), let directory, let server = options["--server"] {
            let identity = options["--identity"].map { digits in Data(hexadecimal: digits) }
            self = .drive(directory: directory, server: server, identity: identity, token: options["--token"])
        } else if let directory, let payloads = options["--payloads"], let now = options["--now"].flatMap(UnixMillis.init) {
            self = .work(directory: directory, payloads: payloads, now: now)
        } else {
            throw Trouble("usage: see demo/README.md")
        }
    }
}

extension Data {
    /// Pairs of digits; a pair that is none is left out.
    fileprivate init(hexadecimal digits: String) {
        var rest = digits[...]
        self.init()
        while !rest.isEmpty {
            if let byte = UInt8(rest.prefix(2), radix: 16) { append(byte) }
            rest = rest.dropFirst(2)
        }
    }
}

/// A code to scan, and what it holds.
struct Payload: Decodable {
    let text: String
    let kind: String

    static func all(in file: String) throws -> [Payload] {
        let lines = try Data(contentsOf: URL(fileURLWithPath: file)).split(separator: UInt8(ascii: "\n"))
        return try lines.map { try JSONDecoder().decode(Payload.self, from: $0) }
    }
}

extension QrKind {
    /// As the payloads spell it: `web_link`.
    var snakeCase: String {
        "\(self)".reduce(into: "") { name, letter in
            name += letter.isUppercase ? "_\(letter.lowercased())" : "\(letter)"
        }
    }
}

/// A line of output.
enum Line: Encodable {
    case done(Int)
    case rating(Int, Rating)
    case summary(Summary)

    struct Summary: Encodable {
        let summary = true
        let scans, pages, notVotable, wrongKinds: Int
        let intact: Bool
        let resumedAt: Int
    }

    private enum Key: CodingKey {
        case done, rating, safe, unsafe, confidence, lower, upper
    }

    func encode(to encoder: any Encoder) throws {
        if case .summary(let summary) = self { return try summary.encode(to: encoder) }
        var line = encoder.container(keyedBy: Key.self)
        switch self {
        case .done(let index):
            try line.encode(index, forKey: .done)
        case .rating(let index, let rating):
            try line.encode(index, forKey: .rating)
            try line.encode(rating.safeVotes, forKey: .safe)
            try line.encode(rating.unsafeVotes, forKey: .unsafe)
            try line.encode(rating.confidence.bits, forKey: .confidence)
            try line.encode(rating.lower.bits, forKey: .lower)
            try line.encode(rating.upper.bits, forKey: .upper)
        case .summary:
            break
        }
    }

    /// Prints it at once: whoever kills this phone must know how far it came.
    func say() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        FileHandle.standardOutput.write(try encoder.encode(self) + Data("\n".utf8))
    }
}

extension Double {
    /// All 64 bits, as 16 hexadecimal digits.
    var bits: String {
        let digits = String(bitPattern, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
