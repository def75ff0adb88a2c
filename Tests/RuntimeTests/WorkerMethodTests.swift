import Runtime
import Testing
import WireProtocol

@Suite struct WorkerMethodTests {
  /// What is registered is what can be executed: no method falls to another's function.
  @Test func everyNameLeadsToItsOwnMethod() {
    for method in WorkerMethod.allCases { #expect(WorkerMethod(method.name) == method) }
    #expect(Set(WorkerMethod.allCases.map(\.name)).count == WorkerMethod.allCases.count)
    #expect(WorkerMethod(RPCMethod("device", "fault")) == .fault)
    for (service, method) in [("device", "clock"), ("health", "fault"), ("none", "check")] {
      #expect(WorkerMethod(RPCMethod(service, method)) == nil)
    }
  }
}
