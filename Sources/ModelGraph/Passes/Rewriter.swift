import Foundations
import Tensors

/// The state of one forward scan over a graph that replaces nodes by better ones.
///
/// A rule sees each node after the nodes it reads from were handled, so patterns are matched from
/// their last node backwards. A replacement produces the same value as the node it stands for; nodes
/// that nothing reads any more disappear at the end of the scan.
struct Rewriter {
  private(set) var graph: Graph
  private var emitted: [Node] = []
  private var definitions: [Int?]
  private var uses: [Int]
  private var aliases: [ValueID: ValueID] = [:]
  private var names = UniqueNames()

  init(_ graph: Graph) {
    self.graph = graph
    definitions = Array(repeating: nil, count: graph.values.count)
    uses = Array(repeating: 0, count: graph.values.count)
    for node in graph.nodes { for id in node.inputs { uses[id.index] += 1 } }
    for id in graph.outputs { uses[id.index] += 1 }
    for value in graph.values { _ = names.unique(value.name) }
  }

  func shape(_ id: ValueID) -> Shape { graph[id].shape }

  func constant(_ id: ValueID) -> Tensor? { graph.constants[id] }

  /// The node that computes a value, as rewritten so far.
  func definition(_ id: ValueID) -> Node? {
    definitions[id.index].map { emitted[$0] }
  }

  /// The node that computes a value if nothing else reads that value.
  func soleDefinition(_ id: ValueID) -> Node? {
    uses[id.index] == 1 ? definition(id) : nil
  }

  mutating func emit(_ node: Node) {
    definitions[node.output.index] = emitted.count
    emitted.append(node)
  }

  /// Emits a node with a new result.
  mutating func add(
    _ operation: Operation, _ inputs: [ValueID], name: String, shape: Shape? = nil
  ) throws(MartletError) -> ValueID {
    let result = try operation.outputShape(
      inputs: inputs.map { graph[$0].shape }, declared: shape)
    let id = newValue(Graph.Value(name: names.unique(name), shape: result))
    emit(Node(name: graph[id].name, operation: operation, inputs: inputs, output: id))
    return id
  }

  mutating func add(constant tensor: Tensor, name: String) -> ValueID {
    let id = newValue(
      Graph.Value(
        name: names.unique(name), shape: tensor.shape, elementType: tensor.elementType))
    graph.constants[id] = tensor
    return id
  }

  /// Makes a computed value a constant.
  mutating func fix(_ id: ValueID, to tensor: Tensor) { graph.constants[id] = tensor }

  /// Lets the readers of one value read another one instead.
  mutating func alias(_ id: ValueID, to other: ValueID) { aliases[id] = other }

  func resolved(_ id: ValueID) -> ValueID { aliases[id] ?? id }

  private mutating func newValue(_ value: Graph.Value) -> ValueID {
    definitions.append(nil)
    uses.append(1)
    return graph.add(value)
  }

  /// The rewritten graph without what has become dead.
  consuming func finished() -> Graph {
    for (position, old) in graph.outputs.enumerated() {
      let id = resolved(old)
      guard id != old else { continue }
      if graph.inputs.contains(id) || graph.constants[id] != nil || graph.outputs.contains(id) {
        // The value keeps its own name; a reshape to the same shape is a copy under this one.
        emit(Node(name: graph[old].name, operation: .reshape, inputs: [id], output: old))
      } else {
        let name = graph[old].name
        graph[old].name = graph[id].name
        graph[id].name = name
        graph.outputs[position] = id
      }
    }
    graph.nodes = emitted
    return graph.withoutDeadNodes()
  }
}

extension Graph {
  /// One forward scan: `rule` emits a replacement and answers true, or answers false to keep a node.
  func rewritten(
    _ rule: (inout Rewriter, Node) throws(MartletError) -> Bool
  ) throws(MartletError) -> Graph {
    var rewriter = Rewriter(self)
    for node in nodes {
      var node = node
      node.inputs = node.inputs.map { rewriter.resolved($0) }
      do throws(MartletError) {
        if try !rule(&rewriter, node) { rewriter.emit(node) }
      } catch {
        throw error.adding("node", node.name)
      }
    }
    return rewriter.finished()
  }
}
