package import Tensors

/// A non-linearity as a node of its own.
package struct Activating: ElementwiseFacts {
  /// The function.
  package var activation: Activation

  package static let kind = "activation"

  package var operation: Operation { .activation(activation) }

  package var label: String { activation.kind }

  package func applied(to operand: Tensor) -> Tensor? {
    operand.floats.map { Tensor(operand.shape, $0.map { activation.value($0) }) }
  }
}
