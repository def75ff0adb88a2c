import Foundations
import Kernels
import ModelGraph
import Tensors

/// When the gradient of each value is in use, and where it lies meanwhile.
///
/// Moments count backwards: the node at position n runs at moment `nodes.count - n`. A gradient lives
/// from the last reader of its value, which runs first, to the producer; those of outputs from the
/// start, and those of targets for ever.
struct GradientSchedule {
  let offsets: [Int?]
  let bytes: Int
  /// By node: the values whose gradient that node is the first to add to.
  let begins: [Int: [ValueID]]

  init(_ graph: Graph, active: Set<ValueID>, targets: [ValueID]) {
    let end = graph.nodes.count + 1
    let permanent = Set(targets)
    var births: [ValueID: Int] = [:]
    var deaths: [ValueID: Int] = [:]
    for id in graph.outputs where active.contains(id) { births[id] = 0 }
    var begins: [Int: [ValueID]] = [:]
    for (index, node) in graph.nodes.enumerated().reversed() where active.contains(node.output) {
      let moment = graph.nodes.count - index
      deaths[node.output] = moment
      // A result that nobody reads has a gradient of zero.
      if births[node.output] == nil {
        births[node.output] = moment
        begins[index, default: []].append(node.output)
      }
      for id in Set(node.inputs).sorted() where active.contains(id) && births[id] == nil {
        births[id] = moment
        if !permanent.contains(id) { begins[index, default: []].append(id) }
      }
    }
    var offsets = [Int?](repeating: nil, count: graph.values.count)
    let order = active.sorted()
    let plan = MemoryPlan(
      order.map { id in
        let isPermanent = permanent.contains(id)
        return MemoryPlan.Request(
          bytes: graph[id].shape.count * MemoryLayout<Float>.stride,
          birth: isPermanent ? 0 : births[id] ?? 0,
          death: isPermanent ? end : deaths[id] ?? end)
      })
    for (id, offset) in zip(order, plan.offsets) { offsets[id.index] = offset }
    self.offsets = offsets
    self.begins = begins
    bytes = plan.bytes
  }
}
