import Foundations
import Kernels
import ModelGraph
import Tensors

/// Computes operations of constants once, at import, by the kernels that would compute them in every
/// frame.
enum ConstantEvaluation {
  /// The result; nil for integers, which no kernel takes.
  ///
  /// - Throws: `.resourceExhausted` without memory; what `Program` throws.
  static func result(
    of operation: ModelGraph.Operation, _ operands: [Tensor], shape: Shape
  ) throws(MartletError) -> Tensor? {
    guard operands.allSatisfy({ $0.elementType == .float32 }) else { return nil }
    var graph = Graph(name: "constants")
    let inputs = operands.enumerated().map { index, tensor in
      graph.add(constant: tensor, name: "operand\(index)")
    }
    let output = graph.add(Graph.Value(name: "result", shape: shape))
    graph.nodes = [Node(name: "node", operation: operation, inputs: inputs, output: output)]
    graph.outputs = [output]
    return try Execution(try Program(graph)).run(inputs: []).first
  }
}
