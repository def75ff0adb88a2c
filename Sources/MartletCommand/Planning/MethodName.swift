import ArgumentParser
import Planning

/// A planning method on the command line, by name; `auto` is none in particular.
struct MethodName: ExpressibleByArgument {
  /// Nil for `auto`.
  let method: (any PlanningMethod)?

  private static let automatic = PlanningMethods.automatic

  init(_ method: any PlanningMethod) { self.method = method }

  init?(argument: String) {
    if argument == Self.automatic {
      method = nil
      return
    }
    guard let method = PlanningMethods.standard[argument] else { return nil }
    self.method = method
  }

  static var allValueStrings: [String] { PlanningMethods.standard.names + [automatic] }

  static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }

  var defaultValueDescription: String { method?.name ?? Self.automatic }
}

/// A planning method that needs neither options nor images, by name.
struct LoneMethodName: ExpressibleByArgument {
  let method: any PlanningMethod

  init(_ method: any PlanningMethod) { self.method = method }

  init?(argument: String) {
    guard let method = PlanningMethods.standard[argument], method.abilities.worksAlone else {
      return nil
    }
    self.method = method
  }

  static var allValueStrings: [String] {
    PlanningMethods.standard.with(\.worksAlone).map(\.name)
  }

  static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }

  var defaultValueDescription: String { method.name }
}

extension PlanningMethods {
  /// The methods for help, one a line.
  var listing: String {
    let width = (names.map(\.count).max() ?? 0) + 2
    return all.map {
      "  " + $0.name + String(repeating: " ", count: width - $0.name.count) + $0.summary
    }.joined(separator: "\n")
  }
}
