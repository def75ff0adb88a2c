import Foundations
import Tensors

/// Weights that kernels read as they are stored, in fewer bytes than float32.
///
/// `@unchecked Sendable`: `scales` is written before `init` returns and never after.
final class StoredWeights: @unchecked Sendable {
  private let tensor: StoredTensor
  private let elements: FixedBytes
  private let scales: AlignedMemory?
  /// Bytes of elements and scales.
  let bytes: Int

  /// Nil for float32, which needs memory of its own form.
  ///
  /// - Throws: `resourceExhausted` without memory for the scales.
  init?(_ tensor: StoredTensor) throws(MartletError) {
    guard tensor.elementType != .float32, case .fixed(let elements) = tensor.elements else {
      return nil
    }
    self.tensor = tensor
    self.elements = elements
    let count = tensor.scales.count
    bytes = elements.bytes.count + count * MemoryLayout<Float>.stride
    guard count > 0 else {
      scales = nil
      return
    }
    guard let memory = AlignedMemory(count: count, zeroed: false) else {
      throw MemoryLimit.refusal(of: count * MemoryLayout<Float>.stride, for: "the weights")
    }
    tensor.scales.withUnsafeBufferPointer {
      if let source = $0.baseAddress { memory.base.update(from: source, count: count) }
    }
    scales = memory
  }

  /// As rows of so many elements.
  ///
  /// - Precondition: there are elements.
  func matrix(columns: Int) -> WeightMatrix {
    guard let base = elements.bytes.baseAddress else { preconditionFailure("no weights") }
    if let scales {
      return WeightMatrix(
        elements: .bytes(
          base.assumingMemoryBound(to: Int8.self), scales: UnsafePointer(scales.base)),
        columns: columns)
    }
    return WeightMatrix(
      elements: .halves(base.assumingMemoryBound(to: UInt16.self)), columns: columns)
  }
}
