import Foundations
package import Tensors

/// A constant in the one form in which kernels read it, for any number of programs.
///
/// A device runs a program of its own for each set of devices that may be missing; most of their
/// weights are the same, and none is kept twice.
///
/// `@unchecked Sendable`: `state` is read and written under `lock` only; the memory that it hands out
/// is written before it is handed out and never after, and lives as long as anybody refers to it.
package final class SharedConstant: @unchecked Sendable {
  private enum State {
    case given([Float])
    case prepared(AlignedMemory, form: String?)
  }

  /// Its shape as given.
  package let shape: Shape
  private let lock = NativeLock()
  private var state: State

  /// - Precondition: the tensor is float32.
  package init(_ tensor: Tensor) {
    guard let values = tensor.floats else { preconditionFailure("a constant must be float32") }
    shape = tensor.shape
    state = .given(values)
  }

  /// The constant as a kernel wants it. The first call decides the form.
  ///
  /// - Throws: `resourceExhausted` without memory; `unsupported` when an earlier call wanted another
  ///   form, which programs of one plan never do: the form follows from the node and its shapes.
  func memory(for preparation: WeightPreparation?) throws(MartletError) -> AlignedMemory {
    lock.lock()
    defer { lock.unlock() }
    switch state {
    case .prepared(let memory, let form):
      guard form == preparation?.form else {
        throw MartletError(
          .unsupported, "two programs want one constant in different forms",
          context: ["shape": "\(shape)"])
      }
      return memory
    case .given(let values):
      let count = preparation?.count ?? values.count
      guard let memory = AlignedMemory(count: count, zeroed: false) else {
        throw MemoryLimit.refusal(of: count * MemoryLayout<Float>.stride, for: "the weights")
          .adding("shape", "\(shape)")
      }
      values.withUnsafeBufferPointer {
        guard let source = $0.baseAddress else { return }
        if let preparation {
          preparation.transform(source, memory.base)
        } else {
          memory.base.update(from: source, count: $0.count)
        }
      }
      state = .prepared(memory, form: preparation?.form)
      return memory
    }
  }
}
