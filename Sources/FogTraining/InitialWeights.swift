package import FogNetwork
import Foundations
package import Tensors

/// The weights that training starts from: the same for both precisions.
package enum InitialWeights {
  package static func make(
    _ design: FogDesign, start: FogTrainingOptions.Start, seed: Int
  ) -> [String: Tensor] {
    var generator = SeededGenerator(stream: 0, of: seed)
    var weights: [String: Tensor] = [:]
    for layer in design.units.flatMap(\.layers) {
      if let name = layer.weights, let (shape, fanIn, fanOut) = layer.kind.weights(layer.input) {
        let fans =
          switch start {
          case .glorot: fanIn + fanOut
          case .he: fanIn
          }
        let limit = (6 / Double(max(fans, 1))).squareRoot()
        weights[name] = Tensor(
          shape, (0..<shape.count).map { _ in Float((2 * generator.unit() - 1) * limit) })
      }
      if let name = layer.bias {
        weights[name] = Tensor(
          [layer.output[0]], [Float](repeating: 0, count: layer.output[0]))
      }
    }
    return weights
  }
}
