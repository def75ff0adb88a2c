package import Foundations
package import Tensors

/// A safetensors file: header in memory, tensors read one by one when asked for.
package struct SafetensorsFile: Sendable {
  /// Names, types, shapes and metadata.
  package let header: SafetensorsHeader
  let file: ReadableFile

  /// Opens a file and checks its header against its size.
  package init(_ path: String) throws(MartletError) { try self.init(try ReadableFile(path)) }

  /// Checks the header of an open file against its size.
  package init(_ file: ReadableFile) throws(MartletError) {
    let path = file.path
    let start = try file.bytes(at: 0, count: min(8, file.size))
    let length = try start.withUnsafeBufferPointer { bytes throws(MartletError) in
      try SafetensorsHeader.headerLength(
        UnsafeRawBufferPointer(bytes), total: file.size, source: path)
    }
    let bytes = try file.bytes(at: 0, count: 8 + length)
    header = try bytes.withUnsafeBufferPointer { bytes throws(MartletError) in
      try SafetensorsHeader.decode(UnsafeRawBufferPointer(bytes), total: file.size, source: path)
    }
    self.file = file
  }

  /// The names of the tensors in the order of their data.
  package var names: [String] { header.entries.map(\.name) }

  /// The tensor of this name; narrower types are widened to float32.
  ///
  /// - Throws: `notFound`, `io`, or `unsupported` for a type that needs a scale, int8.
  package func tensor(_ name: String) throws(MartletError) -> Tensor {
    guard let entry = header.entry(name) else {
      throw MartletError(
        .notFound, "a tensor is missing", context: ["tensor": name, "file": file.path])
    }
    let offset = header.dataOffset + entry.range.lowerBound
    let count = entry.shape.count
    switch entry.elementType {
    case .float32:
      return Tensor(entry.shape, try file.array(at: offset, count: count, of: Float.self))
    case .int64:
      return Tensor(entry.shape, try file.array(at: offset, count: count, of: Int64.self))
    case let type where type.hasScale:
      throw MartletError(
        .unsupported, "\(type) tensors are not read from files",
        context: ["tensor": name, "file": file.path])
    case let type:
      // Both widths are there at once.
      try MemoryLimit.require(count, of: type.size + 4, for: "the tensor \(name)")
      let bytes = try file.bytes(at: offset, count: entry.range.count)
      return Tensor(entry.shape, widened(bytes, type, count: count))
    }
  }

  private func widened(_ bytes: [UInt8], _ type: ElementType, count: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { output, initialised in
      let target = UnsafeMutableBufferPointer(rebasing: output[..<count])
      bytes.withUnsafeBytes { PackedElements.copy($0, as: type, scale: 1, into: target) }
      initialised = count
    }
  }

  /// All tensors of a file, by name.
  package static func read(_ path: String) throws(MartletError) -> [String: Tensor] {
    let file = try SafetensorsFile(path)
    var tensors: [String: Tensor] = [:]
    for name in file.names { tensors[name] = try file.tensor(name) }
    return tensors
  }

  /// Writes a file atomically; see `FileSystem.writeAtomically`.
  ///
  /// - Throws: `invalidArgument` for a name that stands twice or is `__metadata__`; `io`,
  ///   `permissionDenied`, `resourceExhausted` from the file system, leaving no partial file.
  package static func write(
    _ path: String, tensors: [(name: String, tensor: Tensor)],
    metadata: [(key: String, value: String)] = []
  ) throws(MartletError) {
    let entries = tensors.map {
      (name: $0.name, elementType: $0.tensor.elementType, shape: $0.tensor.shape)
    }
    try write(path, entries, metadata: metadata) { number, file throws(MartletError) in
      switch tensors[number].tensor.elements {
      case .float32(let values): try file.write(values)
      case .int64(let values): try file.write(values)
      }
    }
  }

  /// Writes a file atomically, of tensors whose elements `writeElements` writes when their turn comes.
  ///
  /// - Throws: like the other `write`, and what `writeElements` throws.
  static func write(
    _ path: String, _ tensors: [(name: String, elementType: ElementType, shape: Shape)],
    metadata: [(key: String, value: String)],
    writeElements: (Int, borrowing FileWriter) throws(MartletError) -> Void
  ) throws(MartletError) {
    var names: Set<String> = ["__metadata__"]
    for (name, _, _) in tensors where !names.insert(name).inserted {
      throw MartletError(
        .invalidArgument, "a tensor name cannot be used twice or for metadata",
        context: ["tensor": name, "file": path])
    }
    guard Set(metadata.map(\.key)).count == metadata.count else {
      throw MartletError(.invalidArgument, "a metadata key stands twice", context: ["file": path])
    }
    var header: [UInt8] = []
    SafetensorsHeader.encode(
      into: &header, tensors: tensors.map { ($0.name, $0.elementType, $0.shape) },
      metadata: metadata)
    try FileSystem.writeAtomically(path) { file throws(MartletError) in
      try file.write(header)
      for number in tensors.indices { try writeElements(number, file) }
    }
  }
}

#if _endian(big)
  #error("tensors are copied between files and memory as they are: only little-endian machines")
#endif
