package import Foundations
package import Tensors

// Constants as they are stored: written in their own types, and read without a copy.
extension SafetensorsFile {
  /// A constant and the names that it has in a file.
  package struct StoredName: Sendable, Hashable {
    /// Of the elements.
    package var elements: String
    /// Of the tensor with the scale of each row, where there are scales.
    package var scales: String

    /// Names a constant.
    package init(elements: String, scales: String) {
      self.elements = elements
      self.scales = scales
    }
  }

  /// Constants whose narrow elements stay in the file, mapped; float32 is read as by `tensor`.
  ///
  /// - Throws: `notFound`, `io`; `mismatch` for another type, or for scales that are none.
  package func stored(_ names: [StoredName]) throws(MartletError) -> [StoredTensor] {
    let isNarrow = names.contains { header.entry($0.elements)?.elementType != .float32 }
    let mapping = isNarrow ? try MappedFile(file) : nil
    return try names.map { name throws(MartletError) in
      guard let mapping, let entry = header.entry(name.elements), entry.elementType != .float32
      else { return StoredTensor(try floats(name.elements)) }
      return try stored(entry, scales: name.scales, in: mapping)
    }
  }

  private func floats(_ name: String) throws(MartletError) -> Tensor {
    let tensor = try tensor(name)
    guard tensor.elementType == .float32 else { throw unsuitable(tensor.elementType, name) }
    return tensor
  }

  private func stored(
    _ entry: SafetensorsHeader.Entry, scales: String, in mapping: MappedFile
  ) throws(MartletError) -> StoredTensor {
    let type = entry.elementType
    guard StoredTensor.types.contains(type) else { throw unsuitable(type, entry.name) }
    var values: [Float] = []
    if type.hasScale {
      values = try floats(scales).floats ?? []
      guard values.count == StoredTensor.scaleCount(entry.shape, type),
        values.allSatisfy({ $0 > 0 && $0.isFinite })
      else {
        throw MartletError(
          .mismatch, "the scales of a tensor are not one positive number for each of its rows",
          context: ["tensor": entry.name, "file": file.path])
      }
    }
    let start = header.dataOffset + entry.range.lowerBound
    let bytes = UnsafeRawBufferPointer(rebasing: mapping.bytes[start..<start + entry.range.count])
    guard UInt(bitPattern: bytes.baseAddress) % UInt(type.size) != 0 else {
      return StoredTensor(entry.shape, type, FixedBytes(bytes, in: mapping), scales: values)
    }
    // Another program may have put the elements at an odd address.
    guard MemoryLimit.allows(bytes.count),
      let copy = FixedBytes(count: bytes.count, write: { $0.copyMemory(from: bytes) })
    else { throw MemoryLimit.refusal(of: bytes.count, for: "the tensor \(entry.name)") }
    return StoredTensor(entry.shape, type, copy, scales: values)
  }

  private func unsuitable(_ type: ElementType, _ name: String) -> MartletError {
    MartletError(
      .mismatch, "\(type) tensors cannot be constants of a model",
      context: ["tensor": name, "file": file.path])
  }

  /// Writes constants atomically, the widest elements first, so that all lie at addresses that suit
  /// their types.
  ///
  /// - Throws: like `write(_:tensors:metadata:)`.
  package static func writeStored(
    _ path: String, _ constants: [(name: StoredName, tensor: StoredTensor)],
    metadata: [(key: String, value: String)] = []
  ) throws(MartletError) {
    let scales = constants.filter { $0.tensor.elementType.hasScale }.map { name, tensor in
      (
        name: name.scales,
        tensor: StoredTensor(Tensor(Shape([tensor.scales.count]), tensor.scales))
      )
    }
    let all = constants.map { (name: $0.name.elements, tensor: $0.tensor) } + scales
    // Stable: of one width in the order given.
    let ordered = all.enumerated().sorted {
      (-$0.element.tensor.elementType.size, $0.offset)
        < (-$1.element.tensor.elementType.size, $1.offset)
    }.map(\.element)
    try write(
      path,
      ordered.map { ($0.name, $0.tensor.elementType, $0.tensor.shape) }, metadata: metadata
    ) { number, file throws(MartletError) in
      try ordered[number].tensor.withBytes { bytes throws(MartletError) in try file.write(bytes) }
    }
  }
}
