import Foundations
import ModelGraph
import Tensors

/// Where each value of a graph lives during a run.
struct ArenaLayout: Sendable {
  enum Location: Sendable, Equatable {
    /// Nowhere: nothing computes or reads it.
    case none
    /// A constant's own memory.
    case constant(ValueID)
    /// A byte offset in the arena of one frame.
    case arena(Int)
    /// A byte offset in the memory of a stage, which is anybody's between stages.
    case stage(Int)
  }

  /// By `ValueID.index`.
  let locations: [Location]
  /// Bytes of the arena: inputs, outputs, and what outlives a stage.
  let frameBytes: Int
  /// Bytes of the values that are gone when their stage ends.
  let stageBytes: Int
  /// Bytes of both.
  var bytes: Int { frameBytes + stageBytes }

  /// What is placed together, and at which position each value stands.
  private struct Requests {
    var all: [MemoryPlan.Request] = []
    var positions: [Int: Int] = [:]

    mutating func add(_ request: MemoryPlan.Request, of value: Int) {
      positions[value] = all.count
      all.append(request)
    }
  }

  /// Plans `graph`, whose nodes are in topological order and which is cut into `stages`.
  ///
  /// Moments are node numbers. An exchange's operand lives to the end of its boundary; its result
  /// lives from the start of its boundary, when the stage before has run: parts that come earlier
  /// are kept elsewhere. Inputs live from the start and outputs to the end.
  init(_ graph: borrowing Graph, constants: Set<ValueID>, stages: [Program.Stage]) {
    let end = graph.nodes.count
    var births = Array(0..<end)
    var deaths = Array(0..<end)
    for stage in stages {
      guard let first = stage.exchanges.first, let last = stage.exchanges.last else { continue }
      for exchange in stage.exchanges {
        births[exchange] = first
        deaths[exchange] = last
      }
    }

    // `owner[v]` is the value whose storage v uses: itself, or the operand of a reshape.
    var owner = graph.values.indices.map { $0 }
    var known = [Bool](repeating: false, count: graph.values.count)
    var lastUse = [Int](repeating: -1, count: graph.values.count)
    var birth = [Int](repeating: 0, count: graph.values.count)
    for id in graph.inputs {
      known[id.index] = true
      birth[id.index] = -1
    }
    for id in constants { known[id.index] = true }
    for (index, node) in graph.nodes.enumerated() {
      known[node.output.index] = true
      birth[node.output.index] = births[index]
      if case .reshape = node.operation { owner[node.output.index] = owner[node.inputs[0].index] }
      for id in node.inputs + [node.output] {
        let root = owner[id.index]
        lastUse[root] = max(lastUse[root], deaths[index])
      }
    }
    for id in graph.outputs { lastUse[owner[id.index]] = end }

    // In place: the result takes over a dying operand's storage. `merged[v]` is then the storage.
    var merged = owner
    func storage(_ value: Int) -> Int {
      let root = owner[value]
      return merged[root] == root ? root : storage(merged[root])
    }
    for (index, node) in graph.nodes.enumerated() {
      let output = node.output.index
      guard node.operation.mayWriteOverOperand, owner[output] == output else { continue }
      for id in node.inputs {
        let root = owner[id.index]
        let target = storage(root)
        guard !constants.contains(ValueID(target)), lastUse[target] == index,
          graph[id].shape == graph[node.output].shape
        else { continue }
        merged[output] = target
        lastUse[target] = max(index, lastUse[output])
        break
      }
    }

    var ends = Array(repeating: 0, count: end)
    for stage in stages {
      for node in stage.nodes { ends[node] = stage.nodes.upperBound }
    }
    let kept = Set((graph.inputs + graph.outputs).map { storage($0.index) })
    var outlasting = Requests()
    var passing = Requests()
    for value in graph.values.indices where known[value] && storage(value) == value {
      guard !constants.contains(ValueID(value)) else { continue }
      let request = MemoryPlan.Request(
        bytes: graph.values[value].shape.count * MemoryLayout<Float>.stride,
        birth: birth[value], death: max(birth[value], lastUse[value]))
      // What an exchange gathers is born at a boundary, which is no moment of a stage.
      let isOfStage =
        !kept.contains(value) && birth[value] >= 0 && request.death < ends[birth[value]]
      if isOfStage {
        passing.add(request, of: value)
      } else {
        outlasting.add(request, of: value)
      }
    }
    let arena = MemoryPlan(outlasting.all)
    let shared = MemoryPlan(passing.all)
    locations = graph.values.indices.map { value in
      guard known[value] else { return .none }
      let root = storage(value)
      if let request = outlasting.positions[root] { return .arena(arena.offsets[request]) }
      if let request = passing.positions[root] { return .stage(shared.offsets[request]) }
      return .constant(ValueID(root))
    }
    frameBytes = arena.bytes
    stageBytes = shared.bytes
  }
}

extension Operation {
  /// Whether the kernel reads each element before it writes that element's place, so that the
  /// result may overwrite an operand of the same shape.
  var mayWriteOverOperand: Bool {
    switch self {
    case .activation, .unary, .binary, .channelAffine, .layerNormalization, .softmax: true
    default: false
    }
  }
}
