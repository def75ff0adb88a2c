import Foundations
import ModelGraph
import Tensors

/// An operation that kernels compute: whatever `Operation.all` lists but views and exchanges. The
/// conformance is in the file of its kernel.
protocol KernelMaking {
  /// The kernel for checked operands and a result that is not empty.
  func makeKernel(_ site: KernelSite) -> any Kernel
}

/// Where an operation is computed.
struct KernelSite {
  /// The shapes of the operands.
  let inputs: [Shape]
  /// The shape of the result.
  let output: Shape
  /// Whether nothing else reads the second operand, a constant, so that a kernel may rewrite it.
  let ownsWeights: Bool
  /// How the second operand is stored, where a kernel may read it so: nothing else reads it.
  let weightType: ElementType
}

/// Chooses kernels for the nodes of one graph.
struct KernelSelection {
  /// Constants that exactly one operand of one node refers to: a kernel may rewrite those.
  private let soleOperands: Set<ValueID>
  private let storage: [ValueID: ElementType]

  /// - Parameters:
  ///   - constants: the values that are known beforehand.
  ///   - storage: how those of them are stored that are not float32.
  init(
    _ graph: borrowing Graph, constants: Set<ValueID>, storage: [ValueID: ElementType] = [:]
  ) {
    self.storage = storage
    var uses: [ValueID: Int] = [:]
    for node in graph.nodes { for id in node.inputs { uses[id, default: 0] += 1 } }
    for id in graph.outputs { uses[id, default: 0] += 1 }
    soleOperands = Set(uses.filter { $0.value == 1 }.keys).intersection(constants)
  }

  /// The kernel for a checked node; nil when nothing has to be computed: views, exchanges and empty
  /// results.
  ///
  /// - Throws: `.unsupported` for an operation without a kernel.
  func kernel(for node: Node, _ graph: borrowing Graph) throws(MartletError) -> (any Kernel)? {
    let output = graph[node.output].shape
    guard output.count > 0 else { return nil }
    switch node.operation {
    case .exchange, .reshape: return nil
    default: break
    }
    guard let maker = node.operation.facts as? any KernelMaking else {
      throw MartletError(
        .unsupported, "nothing computes this operation",
        context: ["node": node.name, "operation": node.operation.kindName])
    }
    let ownsWeights = node.inputs.count > 1 && soleOperands.contains(node.inputs[1])
    return maker.makeKernel(
      KernelSite(
        inputs: node.inputs.map { graph[$0].shape }, output: output, ownsWeights: ownsWeights,
        weightType: ownsWeights ? storage[node.inputs[1]] ?? .float32 : .float32))
  }
}
