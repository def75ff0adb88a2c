/// What an option's text may be, and what it means.
package struct OptionKind<Value: Sendable>: Sendable {
  /// What stands for a value in a listing, such as `count`.
  package let valueName: String
  /// What is allowed, for errors: `a whole number, 1 or more`.
  package let allowed: String
  /// The values, where there are few.
  package let choices: [String]
  /// Whether the text is the path of a file.
  package let isFile: Bool
  private let reader: @Sendable (String) -> Value?

  /// Makes a kind of values; `reader` gives nil for a text that is not allowed.
  package init(
    valueName: String, allowed: String, choices: [String] = [], isFile: Bool = false,
    reader: @escaping @Sendable (String) -> Value?
  ) {
    self.valueName = valueName
    self.allowed = allowed
    self.choices = choices
    self.isFile = isFile
    self.reader = reader
  }

  /// The value of a text; nil for one that is not allowed.
  package func read(_ text: String) -> Value? { reader(text) }
}

extension OptionKind where Value == Int {
  /// A whole number from `least` on.
  package static func integer(from least: Int, valueName: String = "count") -> OptionKind {
    OptionKind(valueName: valueName, allowed: "a whole number, \(least) or more") { text in
      Int(text).flatMap { $0 >= least ? $0 : nil }
    }
  }

  /// A size in bytes, such as `72MB`.
  package static var bytes: OptionKind {
    OptionKind(valueName: "size", allowed: "a size such as 300kB, 72MB or 1GB") { text in
      let units: [(String, Double)] = [("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("B", 1)]
      guard let (unit, factor) = units.first(where: { text.hasSuffix($0.0) }) else {
        return Int(text).flatMap { $0 > 0 ? $0 : nil }
      }
      return scaled(text.dropLast(unit.count), by: factor)
    }
  }

  /// A number of operations, such as `30M`.
  package static var amount: OptionKind {
    OptionKind(valueName: "count", allowed: "a number such as 500k, 30M or 2G") { text in
      let units: [Character: Double] = ["k": 1e3, "M": 1e6, "G": 1e9]
      guard let factor = text.last.flatMap({ units[$0] }) else {
        return scaled(text[...], by: 1)
      }
      return scaled(text.dropLast(), by: factor)
    }
  }

  private static func scaled(_ digits: Substring, by factor: Double) -> Int? {
    guard let value = Double(digits), value > 0, value * factor < 1e15 else { return nil }
    return Int(value * factor)
  }
}

extension OptionKind where Value == Double {
  /// A number from `least` on.
  ///
  /// - Parameter mayBeInfinite: whether `inf` is one.
  package static func number(
    from least: Double, mayBeInfinite: Bool = false, valueName: String
  ) -> OptionKind {
    OptionKind(
      valueName: valueName,
      allowed: "a number, \(Int(least)) or more" + (mayBeInfinite ? ", or inf" : "")
    ) { text in
      Double(text).flatMap { $0 >= least && (mayBeInfinite || $0.isFinite) ? $0 : nil }
    }
  }
}

extension OptionKind where Value == [Double] {
  /// Probabilities, separated by commas.
  package static var probabilities: OptionKind {
    OptionKind(
      valueName: "share,...", allowed: "probabilities from 0 to 1, separated by commas"
    ) { text in
      let pieces = text.split(separator: ",", omittingEmptySubsequences: false)
      let values = pieces.compactMap { Double($0) }.filter { (0...1).contains($0) }
      return values.count == pieces.count ? values : nil
    }
  }
}

extension OptionKind where Value == [String] {
  /// Names, separated by commas.
  package static func names(_ valueName: String) -> OptionKind {
    OptionKind(valueName: valueName, allowed: "names, separated by commas") { text in
      let names = text.split(separator: ",").map(String.init)
      return names.isEmpty ? nil : names
    }
  }
}

extension OptionKind where Value == String {
  /// The path of a file.
  package static var file: OptionKind {
    OptionKind(valueName: "file", allowed: "the path of a file", isFile: true) {
      $0.isEmpty ? nil : $0
    }
  }
}

extension OptionKind where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  /// One of a few words.
  package static func choice(_ valueName: String) -> OptionKind {
    let choices = Value.allCases.map(\.rawValue)
    return OptionKind(
      valueName: valueName, allowed: "one of " + choices.joined(separator: ", "), choices: choices
    ) { Value(rawValue: $0) }
  }
}
