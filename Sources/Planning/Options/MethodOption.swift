package import Foundations

/// An option of planning methods: what it is called, what it takes, and what it means. Methods that
/// share one refer to the same value.
package struct MethodOption<Value: Sendable>: MethodOptionFacts {
  /// Without the dashes.
  package let name: String
  /// One sentence.
  package let help: String
  /// What it is unless given; nil if that is left open.
  package let standard: String?
  /// Options of one group exclude each other; nil excludes none.
  package let group: String?
  /// What its text may be.
  package let kind: OptionKind<Value>

  /// Describes an option.
  ///
  /// - Parameters:
  ///   - name: without the dashes.
  ///   - standard: what it is unless given, as text; nil leaves it open.
  ///   - group: options of one group exclude each other.
  ///   - help: one sentence.
  /// - Precondition: `standard` is allowed.
  package init(
    _ name: String, _ kind: OptionKind<Value>, standard: String? = nil, group: String? = nil,
    help: String
  ) {
    precondition(standard.map { kind.read($0) != nil } ?? true, "\(name) has no such standard")
    self.name = name
    self.kind = kind
    self.standard = standard
    self.group = group
    self.help = help
  }

  /// What stands for its value in a listing.
  package var valueName: String { kind.valueName }
  /// The values, where there are few.
  package var choices: [String] { kind.choices }
  /// Whether it takes the path of a file.
  package var isFile: Bool { kind.isFile }
  /// What is allowed, in words.
  package var allowed: String { kind.allowed }

  /// Looks whether a text is allowed.
  ///
  /// - Throws: `invalidArgument` naming the option and what is allowed.
  package func check(_ text: String) throws(MartletError) { _ = try value(of: text) }

  /// The value of a text.
  ///
  /// - Throws: `invalidArgument` naming the option and what is allowed.
  func value(of text: String) throws(MartletError) -> Value {
    guard let value = kind.read(text) else {
      throw MartletError(.invalidArgument, "--\(name) takes \(kind.allowed); not '\(text)'")
    }
    return value
  }
}

/// What can be said of an option whatever its values are.
package protocol MethodOptionFacts: Sendable {
  /// Without the dashes.
  var name: String { get }
  /// One sentence.
  var help: String { get }
  /// What it is unless given; nil if that is left open.
  var standard: String? { get }
  /// Options of one group exclude each other; nil excludes none.
  var group: String? { get }
  /// What stands for its value in a listing.
  var valueName: String { get }
  /// The values, where there are few.
  var choices: [String] { get }
  /// Whether it takes the path of a file.
  var isFile: Bool { get }
  /// What is allowed, in words.
  var allowed: String { get }

  /// Looks whether a text is allowed.
  ///
  /// - Throws: `invalidArgument` naming the option and what is allowed.
  func check(_ text: String) throws(MartletError)
}
