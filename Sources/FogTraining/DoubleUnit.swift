package import FogNetwork
package import Foundations
import Kernels
package import Tensors

/// A unit of dense layers in float64.
///
/// The gradient over the model graph computes in float32, which finite differences and comparisons
/// with other programs cannot check closely. This is the same arithmetic, written out once more, so
/// that all that surrounds it (sums, null inputs, loss, Adam) is checked to many digits.
package final class DoubleUnit: TrainableUnit {
  package var input: UnsafeMutablePointer<Double> { values[0].base }
  package var output: UnsafePointer<Double> { UnsafePointer(values[values.count - 1].base) }
  package var cotangent: UnsafeMutablePointer<Double> { gradients[gradients.count - 1].base }
  package var inputGradient: UnsafePointer<Double>? {
    needsInputGradient ? UnsafePointer(gradients[0].base) : nil
  }
  package let parameters: [Parameter<Double>]
  private let batch: Int
  private let widths: [Int]
  private let isRectified: [Bool]
  private let needsInputGradient: Bool
  /// The input and each layer's result, and their gradients.
  private let values: [Block]
  private let gradients: [Block]
  /// Keeps the parameters' memory.
  private let blocks: [Block]

  /// Zeroed memory that is freed with its owner.
  private final class Block {
    let base: UnsafeMutablePointer<Double>
    init(_ count: Int) {
      base = .allocate(capacity: max(count, 1))
      base.initialize(repeating: 0, count: max(count, 1))
    }
    deinit { base.deallocate() }
  }

  /// - Throws: `unsupported` for other layers than dense ones.
  package init(
    _ unit: FogUnit, batch: Int, weights: [String: Tensor], needsInputGradient: Bool
  ) throws(MartletError) {
    try ComputeThreads.prepare()
    self.batch = batch
    self.needsInputGradient = needsInputGradient
    widths = [unit.input.count] + unit.layers.map(\.output.count)
    isRectified = unit.layers.map { $0.kind.activation == .relu }
    let weightCount = zip(widths, widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    try MemoryLimit.require(
      2 * (batch * widths.reduce(0, +) + weightCount), of: MemoryLayout<Double>.size,
      for: "the weights and a batch of samples")
    values = widths.map { Block(batch * $0) }
    gradients = widths.map { Block(batch * $0) }
    var parameters: [Parameter<Double>] = []
    var blocks: [Block] = []
    for layer in unit.layers {
      guard layer.kind.kind == .dense, let weight = layer.weights, let bias = layer.bias else {
        throw MartletError(
          .unsupported, "double precision is for networks of dense layers only",
          context: ["node": unit.name, "layer": layer.kind.kind.rawValue])
      }
      for (name, shape) in [
        (weight, [layer.output.count, layer.input.count] as Shape),
        (bias, [layer.output.count] as Shape),
      ] {
        let (value, gradient) = (Block(shape.count), Block(shape.count))
        guard let given = weights[name]?.floats, given.count == shape.count else {
          throw MartletError(.notFound, "a weight is missing", context: ["tensor": name])
        }
        for (index, element) in given.enumerated() { value.base[index] = Double(element) }
        blocks += [value, gradient]
        parameters.append(
          Parameter(name: name, shape: shape, values: value.base, gradient: gradient.base))
      }
    }
    self.parameters = parameters
    self.blocks = blocks
  }

  package func forward() {
    for layer in isRectified.indices {
      let (k, n) = (widths[layer], widths[layer + 1])
      let (weight, bias) = (parameters[2 * layer].values, parameters[2 * layer + 1].values)
      let result = values[layer + 1].base
      for row in 0..<batch { (result + row * n).update(from: bias, count: n) }
      Double.multiply(
        m: batch, n: n, k: k, values[layer].base, transposedA: false, weight, transposedB: true,
        beta: 1, into: result)
      guard isRectified[layer] else { continue }
      for index in 0..<(batch * n) { result[index] = max(result[index], 0) }
    }
  }

  package func backward() {
    for layer in isRectified.indices.reversed() {
      let (k, n) = (widths[layer], widths[layer + 1])
      let slope = gradients[layer + 1].base
      if isRectified[layer] {
        let result = values[layer + 1].base
        for index in 0..<(batch * n) where result[index] <= 0 { slope[index] = 0 }
      }
      let (weight, bias) = (parameters[2 * layer], parameters[2 * layer + 1])
      Double.multiply(
        m: n, n: k, k: batch, slope, transposedA: true, values[layer].base, transposedB: false,
        beta: 0, into: weight.gradient)
      bias.gradient.update(repeating: 0, count: n)
      for row in 0..<batch {
        for unit in 0..<n { bias.gradient[unit] += slope[row * n + unit] }
      }
      if layer > 0 || needsInputGradient {
        Double.multiply(
          m: batch, n: k, k: n, slope, transposedA: false, weight.values, transposedB: false,
          beta: 0, into: gradients[layer].base)
      }
    }
  }

  package func clearGradients() {
    for parameter in parameters {
      parameter.gradient.update(repeating: 0, count: parameter.count)
    }
  }
}
