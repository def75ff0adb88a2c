import Plan

extension FlightReport {
  /// The name of the partitioning method, without what is said behind it for people.
  public var methodName: String? { method.map(Plan.methodName(of:)) }
}
