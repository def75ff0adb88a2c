import Foundations
import ModelGraph
import Plan
import Planning
import Processes
import TensorFiles
import TestSupport
import Testing

/// Names of devices that mean something else.
@Suite struct ReservedNameTests {
  @Test(arguments: ["gateway", "client", "means"])
  func aNewPlanCannotHaveThem(_ name: String) throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let graph = try RandomGraph.network(seed: 5)
      let sharding = try Sharding(graph)
      let plan = try Plan(
        model: Plan.Model(name: graph.name, sha256: "", preprocessing: nil, labels: []),
        method: "lop", devices: ["a", name].map { Plan.Device(name: $0) }, graph: graph,
        sharding: sharding,
        parts: PartitionMethod.lop.parts(graph: graph, sharding: sharding, shares: [1, 1]))
      let error = #expect(throws: MartletError.self) {
        try PlanFolder.write(plan, graph: graph, to: folder + "/plan")
      }
      #expect(error?.code == .invalidArgument && error?.message.contains(name) == true)
      #expect(!FileSystem.exists(folder + "/plan"))
      #expect(!FileSystem.exists(folder + "/plan.partial"))
    }
  }

  @Test func othersAreFine() throws {
    try Plan.checkNewNames(["gateway1", "clients", "a"].map { Plan.Device(name: $0) })
  }
}
