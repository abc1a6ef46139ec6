extension JSON {
    /// What the scenarios call a result of the core: records as objects, enums by their variants' names.
    init(reflecting value: Any) throws {
        switch value {
        case let json as JSON: self = json
        case let bool as Bool: self = .bool(bool)
        case let text as String: self = .text(text)
        case let number as UInt32: self = .number(Double(number))
        case let number as Int64: self = .number(Double(number))
        case let number as Double: self = .number(number)
        default: self = try JSON(reflecting: value, with: Mirror(reflecting: value))
        }
    }

    private init(reflecting value: Any, with mirror: Mirror) throws {
        switch mirror.displayStyle {
        case .optional:
            self = try mirror.children.first.map { try JSON(reflecting: $0.value) } ?? .null
        case .collection:
            self = .list(try mirror.children.map { try JSON(reflecting: $0.value) })
        case .struct:
            self = .object(try fields(of: mirror))
        case .tuple where mirror.children.isEmpty:
            self = .null
        case .enum:
            guard let variant = mirror.children.first else {
                self = .text(capitalized("\(value)"))
                return
            }
            var object = try fields(of: Mirror(reflecting: variant.value))
            object["type"] = .text(capitalized(variant.label ?? ""))
            self = .object(object)
        default:
            throw Mismatch("the runner cannot read a \(type(of: value))")
        }
    }
}

private func fields(of mirror: Mirror) throws -> [String: JSON] {
    try mirror.children.reduce(into: [:]) { fields, child in
        fields[child.label ?? ""] = try JSON(reflecting: child.value)
    }
}

/// The name that a variant has in the scenarios: `webLink` is `WebLink`.
func capitalized(_ name: String) -> String {
    name.prefix(1).uppercased() + name.dropFirst()
}
