import FogNetwork
package import Tensors

/// One unit of a network made ready to be trained: memory for a batch, forwards and backwards.
///
/// Two kinds stand behind it: `TapeUnit`, any layers in float32 through the gradient over the model
/// graph, and `DoubleUnit`, dense layers in float64, which checks everything around them.
package protocol TrainableUnit<Scalar>: AnyObject {
  associatedtype Scalar: Real

  /// `[batch, unit.input]`, to be written before each `forward`.
  var input: UnsafeMutablePointer<Scalar> { get }
  /// `[batch, unit.output]`, after `forward`.
  var output: UnsafePointer<Scalar> { get }
  /// The gradient of the loss with respect to `output`, to be written before each `backward`.
  var cotangent: UnsafeMutablePointer<Scalar> { get }
  /// The gradient with respect to `input`, after `backward`; nil where nobody needs it.
  var inputGradient: UnsafePointer<Scalar>? { get }
  /// Weights and biases.
  var parameters: [Parameter<Scalar>] { get }

  /// Computes `output`.
  func forward()
  /// Computes `inputGradient` and every parameter's gradient, replacing what was there.
  func backward()
  /// Sets every parameter's gradient to zero.
  func clearGradients()
}

/// A weight or bias and its gradient, where they lie.
package struct Parameter<Scalar: Real> {
  package var name: String
  package var shape: Shape
  package var values: UnsafeMutablePointer<Scalar>
  package var gradient: UnsafeMutablePointer<Scalar>

  package var count: Int { shape.count }

  /// A copy of the values.
  package var copy: [Scalar] { Array(UnsafeBufferPointer(start: values, count: count)) }

  package func set(_ new: [Scalar]) {
    precondition(new.count == count, "values of another shape")
    values.update(from: new, count: count)
  }
}
