import Kernels
import ModelCards
import ModelGraph
import Plan
import Tensors

/// What one device's program, or the client's, takes in a frame: independent of how fast anything is.
struct ProgramWork: Sendable {
  /// The nodes between two gatherings.
  struct Stage: Sendable {
    /// By node.
    var work: [[KernelWork]]
    /// Parts that are sent when they are computed.
    var sends: [Part]
    /// Positions in `gatherings` of what has to be complete before the next stage.
    var gathers: Range<Int>
  }

  /// A part that is sent.
  struct Part: Sendable {
    var exchange: Int
    var elements: Int
    /// Of each element, as the plan says.
    var elementBytes: Double
  }

  /// A value that is gathered.
  struct Gathering: Sendable {
    var exchange: Int
    /// The devices whose parts are used.
    var senders: [Int]
  }

  var stages: [Stage]
  var gatherings: [Gathering]
  /// Elements of the frame's inputs, of those rows that the device reads.
  var inputElements: Int
  /// By device, where each gets some rows only.
  var inputRows: [Range<Int>]?
  /// Of each of them.
  var inputElementBytes: Double
  /// Working memory and weights while it runs, and weights that wait for others to be missing.
  var memoryBytes: Int

  /// Looks at a device's program.
  ///
  /// - Parameters:
  ///   - device: whose it is; nil for the client.
  ///   - attendance: of which frames, as `Plan.program` takes it.
  init(_ plan: Plan, device: Int?, attendance: Attendance) {
    let program = plan.program(device: device, attendance: attendance)
    let graph = program.graph
    let storage = plan.storage(of: program.constants)
    let work = GraphWork(graph, constants: Set(program.constants.keys), storage: storage)
    let types = plan.wireTypes()
    var gatherings: [Gathering] = []
    stages = work.stages.map { stage in
      let first = gatherings.count
      gatherings += program.gatherings.filter { stage.exchanges.contains($0.node) }.map {
        Gathering(
          exchange: $0.exchange, senders: $0.parts.map(\.device).filter { $0 != device })
      }
      return Stage(
        work: Array(work.nodes[stage.nodes]),
        sends: program.publications.filter { stage.nodes.contains($0.node) }.map {
          Part(
            exchange: $0.exchange, elements: graph[$0.value].shape.count,
            elementBytes: Double(types[$0.exchange].size))
        }, gathers: first..<gatherings.count)
    }
    self.gatherings = gatherings
    inputElements = graph.inputs.reduce(0) { $0 + graph[$1].shape.count }
    inputRows = plan.inputRows(attendance)
    if let inputRows, let device, case let shape = graph[graph.inputs[0]].shape {
      inputElements = inputElements / shape[2] * inputRows[device].count
    }
    let isImage = plan.model.preprocessing?.pixelShape(of: graph[graph.inputs[0]].shape) != nil
    inputElementBytes = Double((isImage ? ElementType.uint8 : .float32).size)
    memoryBytes = work.arenaBytes + work.weightBytes
    guard let device, plan.devices.indices.contains(where: plan.hasStandIn) else { return }
    let used = program.constants.keys.reduce(0) {
      $0 + StoredTensor.bytes(graph[$1].shape, storage[$1] ?? .float32)
    }
    memoryBytes += max(0, ShardInventory(plan, device: device).bytes - used)
  }
}
