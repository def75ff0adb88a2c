import Foundations
package import Tensors

/// A constant in the forms in which kernels read it, for any number of programs.
///
/// A device runs a program of its own for each set of devices that may be missing; most of their
/// weights are the same, and none is kept twice. Narrow weights are kept as they are stored, besides
/// what some kernel made of them: a mapped file takes no memory for what nobody reads.
///
/// `@unchecked Sendable`: what is not constant is read and written under `lock` only; the memory that it
/// hands out is written before it is handed out and never after, and lives as long as anybody refers
/// to it.
package final class SharedConstant: @unchecked Sendable {
  private enum Floats {
    case none
    case given([Float])
    case prepared(AlignedMemory, form: String?)
  }

  /// Its shape as given.
  package let shape: Shape
  /// The type of its elements as given.
  package let elementType: ElementType
  /// Narrow elements as given.
  private let stored: StoredTensor?
  private let lock = NativeLock()
  private var floats: Floats
  private var narrow: StoredWeights?

  /// - Precondition: the tensor is float32.
  package convenience init(_ tensor: Tensor) { self.init(StoredTensor(tensor)) }

  /// A constant as it is stored.
  package init(_ tensor: StoredTensor) {
    shape = tensor.shape
    elementType = tensor.elementType
    if case .floats(let values) = tensor.elements {
      stored = nil
      floats = .given(values)
    } else {
      stored = tensor
      floats = .none
    }
  }

  /// The constant as it is stored; nil for float32.
  ///
  /// - Throws: `resourceExhausted` without memory.
  func narrowWeights() throws(MartletError) -> StoredWeights? {
    lock.lock()
    defer { lock.unlock() }
    if narrow == nil, let stored { narrow = try StoredWeights(stored) }
    return narrow
  }

  /// The constant as float32, as a kernel wants it. The first call decides the form.
  ///
  /// - Throws: `resourceExhausted` without memory; `unsupported` when an earlier call wanted another
  ///   form, which programs of one plan never do: the form follows from the node and its shapes.
  func memory(for preparation: WeightPreparation?) throws(MartletError) -> AlignedMemory {
    lock.lock()
    defer { lock.unlock() }
    if case .prepared(let memory, let form) = floats {
      guard form == preparation?.form else {
        throw MartletError(
          .unsupported, "two programs want one constant in different forms",
          context: ["shape": "\(shape)"])
      }
      return memory
    }
    let memory = try allocate(preparation?.count ?? shape.count)
    if case .given(let values) = floats {
      values.withUnsafeBufferPointer {
        guard let source = $0.baseAddress else { return }
        if let preparation {
          preparation.transform(source, memory.base)
        } else {
          memory.base.update(from: source, count: $0.count)
        }
      }
    } else if let preparation {
      let given = try allocate(shape.count)
      stored?.widen(into: given.base)
      preparation.transform(given.base, memory.base)
    } else {
      stored?.widen(into: memory.base)
    }
    floats = .prepared(memory, form: preparation?.form)
    return memory
  }

  private func allocate(_ count: Int) throws(MartletError) -> AlignedMemory {
    guard let memory = AlignedMemory(count: count, zeroed: false) else {
      throw MemoryLimit.refusal(of: count * MemoryLayout<Float>.stride, for: "the weights")
        .adding("shape", "\(shape)")
    }
    return memory
  }
}
