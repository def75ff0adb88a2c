extension Plan {
  /// The name of the method that made the plan, without what is said behind it for people.
  package var methodName: String { Plan.methodName(of: method) }

  /// The name in a plan's `method`: what stands before the first space or comma, as in
  /// `coded, tolerates 1` and `budget 1.40 copies`.
  package static func methodName(of method: String) -> String {
    String(method.prefix { $0 != " " && $0 != "," })
  }
}
