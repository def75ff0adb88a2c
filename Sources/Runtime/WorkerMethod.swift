package import WireProtocol

/// What a worker can be called for. Every method has a case here; nothing else is executed.
package enum WorkerMethod: CaseIterable, Sendable {
  case check, describe, stats, fault

  /// The method of that name; nil for one that workers do not have.
  package init?(_ method: RPCMethod) {
    guard let known = WorkerMethod.allCases.first(where: { $0.name == method }) else { return nil }
    self = known
  }

  /// How it is called.
  package var name: RPCMethod {
    switch self {
    case .check: RPCMethod("health", "check")
    case .describe: RPCMethod("device", "describe")
    case .stats: RPCMethod("device", "stats")
    case .fault: RPCMethod("device", "fault")
    }
  }
}
