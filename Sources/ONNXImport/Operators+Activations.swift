import Foundations
import ModelGraph
import Tensors

// Activations beyond those that most networks have.
extension Operators {
  static let activations: [String: Rule] = [
    "Softplus": activation { _ throws(MartletError) in .softplus },
    "Mish": activation { _ throws(MartletError) in .mish },
    "Softsign": activation { _ throws(MartletError) in .softsign },
    "Elu": activation { node throws(MartletError) in
      .elu(slope: try finite(node, "alpha", default: 1))
    },
    "Selu": activation { node throws(MartletError) in
      .selu(
        slope: try finite(node, "alpha", default: 1.67326319),
        scale: try finite(node, "gamma", default: 1.05070102))
    },
    "Celu": activation { node throws(MartletError) in
      let slope = try finite(node, "alpha", default: 1)
      guard slope != 0 else {
        throw MartletError(.unsupported, "alpha must not be 0", context: ["alpha": "\(slope)"])
      }
      return .celu(slope: slope)
    },
    "ThresholdedRelu": activation { node throws(MartletError) in
      .thresholdedRelu(threshold: try finite(node, "alpha", default: 1))
    },
  ]

  private static func activation(
    _ made: @escaping @Sendable (NodeReader) throws(MartletError) -> Activation
  ) -> Rule {
    { (lowering, node) throws(MartletError) in
      [try lowering.add(.activation(try made(node)), [try node.input(0)], node)]
    }
  }

  /// A number that an activation can be written to a plan with: JSON has no infinity.
  static func finite(
    _ node: NodeReader, _ attribute: String, default value: Float
  ) throws(MartletError) -> Float {
    let value = try node.float(attribute, default: value)
    guard value.isFinite else {
      throw MartletError(
        .unsupported, "an attribute must be a finite number", context: [attribute: "\(value)"])
    }
    return value
  }
}
