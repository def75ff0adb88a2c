package import Foundations
package import Tensors

/// NumPy's `.npy` files: one array each.
///
/// Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>, versions 1 to 3.
package enum NumpyFile {
  /// Reads an array, in C or Fortran order: `<f4`, `<f2` and `<f8` become float32 (the last by
  /// rounding), `<i8`, `<i4`, `<i2`, `|i1`, `<u4`, `<u2`, `|u1` and `|b1` int64.
  ///
  /// - Throws: `invalidFile` with the offset, `unsupported` for other types.
  package static func read(_ path: String) throws(MartletError) -> Tensor {
    let file = try ReadableFile(path)
    let (header, dataOffset) = try readHeader(file)
    let shape: Shape
    do { shape = try Shape(checking: header.shape) } catch { throw error.adding("file", path) }
    let count = shape.count
    let (size, convert) = try reader(header.type, path: path)
    guard count * size == file.size - dataOffset else {
      throw damagedArray(
        "\(file.size - dataOffset) data bytes for shape \(shape) of \(header.type)", path,
        offset: dataOffset)
    }
    // The elements as they are in the file and as they are used, which are there at once.
    try MemoryLimit.require(count, of: size + MemoryLayout<Int64>.size, for: "an array")
    let elements = try convert(file, dataOffset, count)
    guard header.isFortranOrder, shape.rank > 1 else {
      return Tensor(shape: shape, elements: elements)
    }
    return switch elements {
    case .float32(let values): Tensor(shape, inOrderOfC(values, header.shape))
    case .int64(let values): Tensor(shape, inOrderOfC(values, header.shape))
    }
  }

  /// Elements whose first index runs fastest, arranged so that the last one does.
  private static func inOrderOfC<T>(_ values: [T], _ extents: [Int]) -> [T] {
    var strides: [Int] = []
    var next = 1
    for extent in extents {
      strides.append(next)
      next *= extent
    }
    var index = [Int](repeating: 0, count: extents.count)
    var place = 0
    var result: [T] = []
    result.reserveCapacity(values.count)
    for _ in values.indices {
      result.append(values[place])
      // Counts up from the last index.
      for axis in extents.indices.reversed() {
        index[axis] += 1
        place += strides[axis]
        if index[axis] < extents[axis] { break }
        place -= strides[axis] * extents[axis]
        index[axis] = 0
      }
    }
    return result
  }

  /// Writes a float32 tensor as `<f4`, an int64 one as `<i8`, in C order, atomically.
  package static func write(_ path: String, _ tensor: Tensor) throws(MartletError) {
    let dimensions = tensor.shape.dimensions
    let extents =
      dimensions.count == 1
      ? "\(dimensions[0])," : dimensions.map(String.init).joined(separator: ", ")
    let type = tensor.elementType == .float32 ? "<f4" : "<i8"
    var header = Array("\u{1}NUMPY\u{1}\u{0}\u{0}\u{0}".utf8)
    header[0] = 0x93
    header += Array("{'descr': '\(type)', 'fortran_order': False, 'shape': (\(extents)), }".utf8)
    // NumPy aligns the data to 64 bytes, with spaces before the final line feed.
    while (header.count + 1) % 64 != 0 { header.append(UInt8(ascii: " ")) }
    header.append(UInt8(ascii: "\n"))
    header[8] = UInt8(truncatingIfNeeded: header.count - 10)
    header[9] = UInt8(truncatingIfNeeded: (header.count - 10) >> 8)
    let finished = header
    try FileSystem.writeAtomically(path) { file throws(MartletError) in
      try file.write(finished)
      switch tensor.elements {
      case .float32(let values): try file.write(values)
      case .int64(let values): try file.write(values)
      }
    }
  }

  private typealias Convert =
    (_ file: ReadableFile, _ offset: Int, _ count: Int) throws(MartletError) -> Tensor.Elements

  /// The element size of a NumPy type and how to read its elements.
  private static func reader(
    _ type: String, path: String
  ) throws(MartletError) -> (size: Int, convert: Convert) {
    switch type {
    case "<f4":
      (
        4,
        { file, offset, count throws(MartletError) in
          .float32(try file.array(at: offset, count: count, of: Float.self))
        }
      )
    case "<f2":
      (
        2,
        { file, offset, count throws(MartletError) in
          .float32(widened(try file.array(at: offset, count: count, of: UInt16.self)))
        }
      )
    case "<f8":
      (
        8,
        { file, offset, count throws(MartletError) in
          .float32(try file.array(at: offset, count: count, of: Double.self).map { Float($0) })
        }
      )
    case "<i8": integers(Int64.self)
    case "<i4": integers(Int32.self)
    case "<i2": integers(Int16.self)
    case "<u4": integers(UInt32.self)
    case "<u2": integers(UInt16.self)
    case "|i1": integers(Int8.self)
    case "|u1", "|b1": integers(UInt8.self)
    default:
      throw MartletError(
        .unsupported, "the NumPy type \(type) is not supported", context: ["file": path],
        hint: type.hasSuffix("V2") || type == "bfloat16"
          ? "bfloat16 is saved like this; save it with .astype('float32')"
          : "save it with .astype('<f4'), or '<i8' for whole numbers")
    }
  }

  private static func integers<T: FixedWidthInteger & BitwiseCopyable & SendableMetatype>(
    _ type: T.Type
  ) -> (size: Int, convert: Convert) {
    (
      MemoryLayout<T>.size,
      { file, offset, count throws(MartletError) in
        .int64(try file.array(at: offset, count: count, of: T.self).map { Int64($0) })
      }
    )
  }

  private static func readHeader(
    _ file: ReadableFile
  ) throws(MartletError) -> (header: NumpyHeader, dataOffset: Int) {
    let start = try file.bytes(at: 0, count: min(12, file.size))
    guard start.count >= 10, Array(start[..<6]) == [0x93] + Array("NUMPY".utf8) else {
      throw damagedArray("the first bytes are not \\x93NUMPY", file.path, offset: 0)
    }
    let lengthBytes = start[6] == 1 ? 2 : 4
    guard (1...3).contains(start[6]), start.count >= 8 + lengthBytes else {
      throw damagedArray("version \(start[6]) is unknown", file.path, offset: 6)
    }
    let length = (0..<lengthBytes).reduce(0) { $0 | Int(start[8 + $1]) << (8 * $1) }
    guard length <= 65536 else {
      throw damagedArray("the header length \(length) cannot be right", file.path, offset: 8)
    }
    let text = try file.bytes(at: 8 + lengthBytes, count: length)
    guard let header = NumpyHeader(text) else {
      throw damagedArray(
        "the header is not {'descr': …, 'fortran_order': …, 'shape': …}", file.path, offset: 10)
    }
    return (header, 8 + lengthBytes + length)
  }
}

private func damagedArray(_ reason: String, _ path: String, offset: Int) -> MartletError {
  MartletError(
    .invalidFile, "not a NumPy array: \(reason)", context: ["file": path, "offset": "\(offset)"])
}

private func widened(_ halves: [UInt16]) -> [Float] {
  [Float](unsafeUninitializedCapacity: halves.count) { output, initialised in
    halves.withUnsafeBufferPointer { HalfPrecision.decode($0, into: output) }
    initialised = halves.count
  }
}
