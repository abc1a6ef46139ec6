/// A JSON value.
enum JSON: Equatable, Decodable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSON].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    /// The part at a dotted path: `scans.0.id`.
    func part(at path: String) throws -> JSON {
        try path.split(separator: ".").reduce(self) { whole, step in
            switch whole {
            case .object(let fields):
                guard let field = fields[String(step)] else { throw Mismatch("there is no \(path)") }
                return field
            case .list(let items):
                guard let index = Int(step), items.indices.contains(index) else {
                    throw Mismatch("there is no \(path)")
                }
                return items[index]
            default:
                throw Mismatch("there is no \(path)")
            }
        }
    }

    /// The same with every value that `change` has another for.
    func replacing(_ change: (JSON) throws -> JSON?) rethrows -> JSON {
        if let other = try change(self) { return other }
        return switch self {
        case .list(let items): .list(try items.map { try $0.replacing(change) })
        case .object(let fields): .object(try fields.mapValues { try $0.replacing(change) })
        default: self
        }
    }
}

/// Why a scenario fails: what it says is not what is.
struct Mismatch: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
