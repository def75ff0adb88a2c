import Foundations
import ModelGraph
import Plan
import Planning
import Processes
import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite("Whole frames")
struct WholeMethodTests {
  private func plan(
    _ graph: Graph, method: String = "whole", devices: Int, shares: [Double]? = nil
  ) throws -> Plan {
    let maker = try PlanMaker(
      try PlanningMethods.standard.named(method), measuring: Measuring(threads: 1))
    let layout = try maker.layout(of: graph, wishes: DeviceWishes(count: devices, shares: shares))
    return try maker.make(
      PlacingContext(
        graph: graph, model: .init(name: "m", sha256: "", preprocessing: nil, labels: []),
        layout: layout)
    ).plan
  }

  @Test("every device holds the model and answers alone", arguments: [1, 2, 5], [1, 2, 3])
  func everyDeviceHoldsTheModel(devices: Int, seed: UInt64) throws {
    let graph = try RandomGraph.network(seed: seed)
    let plan = try plan(graph, devices: devices)
    #expect(plan.dispatchesFrames && plan.methodName == "whole")
    #expect(plan.placements == [LayerPlacement(holders: [Array(0..<devices)])])
    let whole = graph.nodes.reduce(0) { $0 + graph.multiplyAdds(of: $1) }
    let outputs = graph.outputs.reduce(0) { $0 + graph[$1].shape.count }
    let inputs = graph.inputs.reduce(0) { $0 + graph[$1].shape.count }
    for device in 0..<devices {
      let cost = plan.cost(of: device)
      #expect(cost.weightBytes == plan.graph.constantBytes)
      #expect(cost.multiplyAdds == whole)
      #expect(cost.bytesSent == 4 * outputs && cost.bytesReceived == 4 * inputs)
      let program = plan.program(device: device, attendance: .only(device, of: devices))
      #expect(program.gatherings.isEmpty && program.publications.count == plan.exchanges.count)
    }
    #expect(
      plan.devices.indices.map { plan.cost(of: $0) }.copies(of: plan) == Double(devices))
  }

  @Test("all attendances with one owner have one program, the owner's alone")
  func attendancesAreNormalised() throws {
    let plan = try plan(try RandomGraph.network(seed: 3), devices: 3)
    #expect(plan.normalised(.everyone(3)) == .only(0, of: 3))
    #expect(plan.normalised(Attendance(alive: [false, true, true])) == .only(1, of: 3))
    #expect(plan.normalised(Attendance([.probed, .absent, .awaited])) == .only(2, of: 3))
    #expect(
      plan.normalised(.only(1, of: 3))
        == plan.normalised(Attendance(alive: [false, true, true])))
    #expect(plan.isWhole(alive: [false, false, true]))
    #expect(!plan.isWhole(alive: [false, false, false]))
  }

  @Test("other plans are not dispatched", arguments: ["lop", "replicate"])
  func othersAreNot(name: String) throws {
    let plan = try plan(try RandomGraph.network(seed: 3), method: name, devices: 2)
    #expect(!plan.dispatchesFrames)
    #expect(plan.usualAttendance(of: 1) == .everyone(2))
  }

  @Test("load decides who gets how much")
  func sharesAreRefused() throws {
    let graph = try RandomGraph.network(seed: 3)
    let error = #expect(throws: MartletError.self) {
      try plan(graph, devices: 2, shares: [2, 1])
    }
    #expect(error?.code == .invalidArgument && error?.message.contains("whole") == true)
  }

  /// They would compute every frame, from inputs on topics that they do not read.
  @Test("plans have a version that programs which know nothing of them refuse")
  func version() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let graph = try RandomGraph.network(seed: 3)
      for (method, version) in [("whole", 3), ("lop", 2)] {
        let written = try PlanFolder.write(
          try plan(graph, method: method, devices: 2), graph: graph, to: "\(folder)/\(method)")
        let text = try FileSystem.readText(written.path + "/plan.json")
        #expect(text.contains("\"version\": \(version)"), "\(method)")
        let read = try PlanFolder(reading: written.path)
        #expect(read.plan.dispatchesFrames == (method == "whole") && read.id == written.id)
      }
    }
  }
}
