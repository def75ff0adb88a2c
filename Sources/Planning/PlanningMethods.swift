package import Foundations

/// The planning methods there are.
package struct PlanningMethods: Sendable {
  /// In the order of listings and comparisons: the simple ones first.
  package let all: [any PlanningMethod]

  /// - Precondition: no two methods have one name.
  package init(_ all: [any PlanningMethod]) {
    precondition(Set(all.map(\.name)).count == all.count, "two methods have one name")
    self.all = all
  }

  /// The methods of `martlet plan`.
  package static let standard = PlanningMethods([
    LopMethod(),
    InterleavedMethod(),
    ParityDeviceMethod(),
    CodedMethod(),
    ReplicateMethod(),
    RobustDiCEMethod(),
    BudgetMethod(),
    VerticalMethod(),
    WholeMethod(),
  ])

  /// The method that is taken unless another is named.
  package static let usual: any PlanningMethod = InterleavedMethod()

  /// What is said in place of a name for whichever is predicted to be best.
  package static let automatic = "auto"

  /// By name.
  package subscript(name: String) -> (any PlanningMethod)? { all.first { $0.name == name } }

  /// The names.
  package var names: [String] { all.map(\.name) }

  /// The method of a name.
  ///
  /// - Throws: `invalidArgument`, with the names there are.
  package func named(_ name: String) throws(MartletError) -> any PlanningMethod {
    guard let method = self[name] else {
      throw MartletError(
        .invalidArgument, "there is no planning method '\(name)'",
        hint: "there are " + names.joined(separator: ", "))
    }
    return method
  }

  /// Those that can do something.
  package func with(_ ability: (MethodAbilities) -> Bool) -> [any PlanningMethod] {
    all.filter { ability($0.abilities) }
  }

  /// The options of all methods, each once, with the methods that have it.
  package var options: [(option: any MethodOptionFacts, methods: [String])] {
    var found: [(option: any MethodOptionFacts, methods: [String])] = []
    for method in all {
      for option in method.options {
        if let number = found.firstIndex(where: { $0.option.name == option.name }) {
          found[number].methods.append(method.name)
        } else {
          found.append((option, [method.name]))
        }
      }
    }
    return found
  }
}
