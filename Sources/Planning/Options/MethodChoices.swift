package import Foundations

/// The options that were given for a method, checked.
package struct MethodChoices: Sendable {
  private let given: [String: String]

  /// Nothing is given.
  package init() { given = [:] }

  /// Takes what was given.
  ///
  /// - Parameters:
  ///   - given: texts by the options' names.
  ///   - methods: whose options there are, to say which method an option belongs to.
  /// - Throws: `invalidArgument` for an option that is not the method's, one with a value that is not
  ///   allowed, and two that exclude each other.
  package init(
    _ given: [String: String], for method: any PlanningMethod,
    among methods: PlanningMethods = .standard
  ) throws(MartletError) {
    for (name, text) in given.sorted(by: { $0.key < $1.key }) {
      guard let option = method.options.first(where: { $0.name == name }) else {
        let owners = methods.all.filter { $0.options.contains { $0.name == name } }.map(\.name)
        throw MartletError(
          .invalidArgument,
          owners.isEmpty
            ? "no method has an option --\(name)"
            : "--\(name) is for --method \(owners.joined(separator: " and "))")
      }
      try option.check(text)
    }
    for group in Set(method.options.compactMap(\.group)).sorted() {
      let rivals = method.options.filter { $0.group == group }.map(\.name)
      guard rivals.count(where: { given[$0] != nil }) > 1 else { continue }
      let names = rivals.map { "--" + $0 }
      throw MartletError(
        .invalidArgument,
        names.count == 2
          ? "give either \(names[0]) or \(names[1])"
          : "give one of \(names.dropLast().joined(separator: ", ")) and \(names[names.count - 1])")
    }
    self.given = given
  }

  /// The text of an option: what was given, or what it is unless given.
  package func text<Value>(_ option: MethodOption<Value>) -> String? {
    given[option.name] ?? option.standard
  }

  /// Whether an option was given.
  package func isGiven(_ name: String) -> Bool { given[name] != nil }

  /// The value of an option; nil if it was not given and is left open.
  package subscript<Value>(option: MethodOption<Value>) -> Value? {
    // Texts were checked when they were taken.
    text(option).flatMap { option.kind.read($0) }
  }

  /// These with others in their place; only those that are a method's.
  ///
  /// - Throws: like `init`.
  package func adding(
    _ others: [String: String], for method: any PlanningMethod,
    among methods: PlanningMethods = .standard
  ) throws(MartletError) -> MethodChoices {
    let own = Set(method.options.map(\.name))
    return try MethodChoices(
      given.filter { own.contains($0.key) }.merging(others) { $1 }, for: method,
      among: methods)
  }
}
