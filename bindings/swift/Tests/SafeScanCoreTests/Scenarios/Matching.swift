import Foundation

extension JSON {
    /// The same with saved values and the number of the turn put in, and repeated texts written out.
    func filledIn(turn: Int, saved: [String: JSON]) throws -> JSON {
        try replacing { value in
            switch value {
            case .text(let text) where text.hasPrefix("$") && saved[String(text.dropFirst())] != nil:
                return saved[String(text.dropFirst())]
            case .text(let text):
                return .text(text.replacingOccurrences(of: "$i", with: "\(turn)"))
            case .object(let fields):
                guard case .list(let parts)? = fields["$repeat"] else { return nil }
                guard parts.count == 2 else { throw Mismatch("$repeat takes a text and a number") }
                let text = try parts[0].filledIn(turn: turn, saved: saved).text()
                return .text(String(repeating: text, count: try parts[1].integer()))
            default:
                return nil
            }
        }
    }

    /// Throws unless `result` contains what this expects.
    func isContained(in result: JSON, at path: String = "the result") throws {
        func fail() -> Mismatch { Mismatch("\(path) is \(result); expected \(self)") }
        switch (self, result) {
        case (.text("$any"), _):
            guard result != .null else { throw fail() }
        case (.object(let special), _) where special.count == 1 && special.keys.first?.hasPrefix("$") == true:
            guard try result.satisfies(special) else { throw fail() }
        case (.object(let expected), .object(let fields)):
            for (name, value) in expected {
                // A missing value is null.
                try value.isContained(in: fields[name] ?? .null, at: "\(path).\(name)")
            }
        case (.list(let expected), .list(let items)):
            guard expected.count == items.count else { throw fail() }
            for (index, (value, item)) in zip(expected, items).enumerated() {
                try value.isContained(in: item, at: "\(path).\(index)")
            }
        default:
            guard self == result else { throw fail() }
        }
    }

    private func satisfies(_ special: [String: JSON]) throws -> Bool {
        switch (special.first?.key, special.first?.value, self) {
        case ("$approx", .number(let number), .number(let own)): abs(number - own) <= 1e-9
        case ("$approx", .number, _): false
        case ("$length", .number(let length), .list(let items)): Double(items.count) == length
        case ("$length", .number(let length), .text(let text)): Double(text.unicodeScalars.count) == length
        case ("$length", .number, _): false
        default: throw Mismatch("nobody knows \(special)")
        }
    }
}
