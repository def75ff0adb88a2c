package import FogNetwork
package import Foundations
import Gradients
import ModelGraph
package import Tensors

/// A unit in float32: its graph, differentiated like any other model graph, in place.
package final class TapeUnit: TrainableUnit {
  package let input: UnsafeMutablePointer<Float>
  package let output: UnsafePointer<Float>
  package let cotangent: UnsafeMutablePointer<Float>
  package let inputGradient: UnsafePointer<Float>?
  package let parameters: [Parameter<Float>]
  private let tape: GradientTape

  /// - Parameters:
  ///   - weights: what the parameters start as.
  ///   - needsInputGradient: whether it hears from another unit.
  package init(
    _ unit: FogUnit, batch: Int, weights: [String: Tensor], needsInputGradient: Bool
  ) throws(MartletError) {
    let graph = try FogDesign.graph(of: unit, batch: batch, weights: weights)
    let constants = graph.constants.keys.sorted()
    let tape = try GradientTape(
      BackwardPlan(graph, targets: constants + (needsInputGradient ? graph.inputs : [])))
    self.tape = tape
    // A unit of pooling alone has no weights and, behind a source, nothing to differentiate.
    input = try tape.address(of: graph.inputs[0])
    output = UnsafePointer(try tape.address(of: graph.outputs[0]))
    cotangent =
      tape.gradientAddress(of: graph.outputs[0])
      ?? UnsafeMutablePointer(mutating: output)
    inputGradient =
      needsInputGradient ? tape.gradientAddress(of: graph.inputs[0]).map { UnsafePointer($0) } : nil
    parameters = try constants.map { id throws(MartletError) in
      guard let gradient = tape.gradientAddress(of: id) else {
        throw MartletError(
          .unsupported, "a weight has no gradient", context: ["tensor": graph[id].name])
      }
      return Parameter(
        name: graph[id].name, shape: graph[id].shape, values: try tape.address(of: id),
        gradient: gradient)
    }
  }

  package func forward() { tape.forwardInPlace() }

  package func backward() {
    tape.clearGradients()
    tape.backwardInPlace()
  }

  package func clearGradients() { tape.clearGradients() }
}
