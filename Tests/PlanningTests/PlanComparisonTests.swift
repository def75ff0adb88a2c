import Foundations
import ModelGraph
import Plan
import Planning
import Processes
import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite("Choosing plans")
struct PlanComparisonTests {
  private func comparison(
    link: String, operations: Double = 1e8
  ) throws -> PlanComparison {
    let graph = try RandomGraph.chain(seed: 5)
    let names = ["d0", "d1", "d2"]
    let assumptions = CostAssumptions(
      DeviceProfiles(all: .plain(operations: operations), devices: 3),
      network: try NetworkSpeed(parsing: [link], broker: nil, names: names))
    return try PlanComparison(CostModel(assumptions), devices: 3) {
      method, options, _ throws(MartletError) in
      let maker = try PlanMaker(method, options: options)
      let layout = try maker.layout(of: graph, wishes: DeviceWishes(names: names))
      return try maker.make(
        PlacingContext(
          graph: graph, model: .init(name: "m", sha256: "", preprocessing: nil, labels: []),
          layout: layout))
    }
  }

  @Test("every method is compared, or it is said why not")
  func everyMethod() throws {
    let comparison = try comparison(link: "none")
    let named = comparison.entries.map(\.made.plan.methodName) + comparison.leftOut.map(\.name)
    for method in PlanningMethods.standard.all {
      #expect(named.contains { $0.hasPrefix(method.name) }, "\(method.name): \(named)")
    }
    #expect(comparison.entries.contains { $0.name == "coded, tolerates 1" && $0.lostShare == 0 })
    #expect(comparison.entries.contains { $0.name == "lop" && $0.lostShare > 0 })
    #expect(comparison.leftOut.allSatisfy { !$0.reason.isEmpty })
  }

  @Test("the best is the one with the least, and one device where links are slow")
  func best() throws {
    for link in ["none", "100mbit", "1mbit,5ms"] {
      let comparison = try comparison(link: link)
      let latencies = comparison.entries.map(\.prediction.latency)
      #expect(comparison.best(for: .latency)?.prediction.latency == latencies.min())
      let rates = comparison.entries.map(\.prediction.framesPerSecond)
      #expect(comparison.best(for: .throughput)?.prediction.framesPerSecond == rates.max())
      let sizes = comparison.entries.map(\.prediction.memoryBytes)
      #expect(comparison.best(for: .memory)?.prediction.memoryBytes == sizes.min())
    }
    let fast = try comparison(link: "none", operations: 1e6)
    #expect(!fast.isBestAlone(for: .latency))
    #expect(fast.summary(for: .latency).hasPrefix("best for latency: "))
    #expect(fast.summary(for: .latency).contains("times as good"))
    let slow = try comparison(link: "100kbit,20ms")
    #expect(slow.isBestAlone(for: .latency))
    #expect(slow.summary(for: .latency).hasPrefix("best for latency: one device alone"))
  }

  @Test("one profile is for all devices, several are for those that their names say")
  func profiles() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let names = ["d0", "d1"]
      func write(_ name: String, _ operations: Double) throws -> String {
        try DeviceProfile.plain(operations: operations).write(to: "\(folder)/\(name).json")
        return "\(folder)/\(name).json"
      }
      let one = try write("board", 1e8)
      #expect(
        try DeviceProfiles(reading: [one], names: names).devices
          == [.plain(operations: 1e8), .plain(operations: 1e8)])
      try FileSystem.createFolder(folder + "/all")
      for (name, operations) in [("all/d1", 3e8), ("all/d0", 2e8)] {
        _ = try write(name, operations)
      }
      let all = try DeviceProfiles(reading: [folder + "/all"], names: names)
      #expect(all.devices == [.plain(operations: 2e8), .plain(operations: 3e8)])
      #expect(all.client == .plain(operations: 2e8))
      _ = try write("all/client", 4e8)
      #expect(
        try DeviceProfiles(reading: [folder + "/all"], names: names).client
          == .plain(operations: 4e8))

      func refusal(_ paths: [String], _ names: [String]) -> String {
        let error = #expect(throws: MartletError.self) {
          try DeviceProfiles(reading: paths, names: names)
        }
        return error.map { "\($0) \($0.hint ?? "")" } ?? ""
      }
      #expect(refusal([folder + "/all"], ["d0", "d9"]).contains("'d1'"))
      #expect(refusal([folder + "/all"], ["d0", "d1", "d2"]).contains("no profile of d2"))
      #expect(refusal([one, folder + "/all"], names).contains("'board'"))
      #expect(refusal([], names).contains("martlet bench device"))
      #expect(refusal([folder + "/none.json"], names).contains("none.json"))
    }
  }
}
