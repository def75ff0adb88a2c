import FoundationEssentials
import Foundations
import Glibc
import Tensors

/// Turns ONNX tensors into float32 or int64 tensors.
struct TensorReader {
  /// The model's own path, for external data.
  let modelPath: String

  func tensor(_ proto: Onnx_TensorProto) throws(MartletError) -> Tensor {
    do throws(MartletError) {
      let shape = try Shape(checking: proto.dims.map { Int($0) })
      let type = try ONNXType(code: Int(proto.dataType))
      try MemoryLimit.require(
        shape.count, of: type.isFloat ? MemoryLayout<Float>.size : MemoryLayout<Int64>.size,
        for: "a constant of the model")
      if proto.dataLocation == .external {
        return type.tensor(shape, try external(proto, shape, type))
      }
      if !proto.rawData.isEmpty || shape.count == 0 {
        try check(proto.rawData.count, shape.count * type.size, "bytes")
        return type.tensor(shape, proto.rawData)
      }
      return try typed(proto, shape, type)
    } catch {
      throw error.adding("constant", proto.name)
    }
  }

  private func check(_ actual: Int, _ expected: Int, _ what: String) throws(MartletError) {
    guard actual == expected else {
      throw MartletError(
        .invalidFile, "a constant does not have as many elements as its shape says",
        context: ["expected \(what)": "\(expected)", "found": "\(actual)"])
    }
  }

  private func external(
    _ proto: Onnx_TensorProto, _ shape: Shape, _ type: ONNXType
  ) throws(MartletError) -> Data {
    var entries: [String: String] = [:]
    for entry in proto.externalData { entries[entry.key] = entry.value }
    let expected = shape.count * type.size
    guard let location = entries["location"],
      let offset = Int(entries["offset"] ?? "0"),
      let length = Int(entries["length"] ?? "\(expected)")
    else {
      throw MartletError(.invalidFile, "the place of external weights is not given as it should be")
    }
    try check(length, expected, "bytes")
    return try ModelFile.readExternal(
      name: location, offset: offset, count: length, modelPath: modelPath)
  }

  private func typed(
    _ proto: Onnx_TensorProto, _ shape: Shape, _ type: ONNXType
  ) throws(MartletError) -> Tensor {
    switch type {
    case .float32:
      try check(proto.floatData.count, shape.count, "elements")
      return Tensor(shape, proto.floatData)
    case .float64:
      try check(proto.doubleData.count, shape.count, "elements")
      return Tensor(shape, proto.doubleData.map { Float($0) })
    case .float16, .bfloat16:
      try check(proto.int32Data.count, shape.count, "elements")
      let values: [Float] = proto.int32Data.map { element in
        let bits = UInt16(truncatingIfNeeded: element)
        return type == .float16 ? ONNXType.half(bits) : ONNXType.brain(bits)
      }
      return Tensor(shape, values)
    case .int64:
      try check(proto.int64Data.count, shape.count, "elements")
      return Tensor(shape, proto.int64Data)
    case .uint32, .uint64:
      try check(proto.uint64Data.count, shape.count, "elements")
      return Tensor(shape, proto.uint64Data.map { Int64(clamping: $0) })
    case .uint8, .int8, .uint16, .int16, .int32, .bool:
      try check(proto.int32Data.count, shape.count, "elements")
      return Tensor(shape, proto.int32Data.map { Int64($0) })
    }
  }
}

/// The element types of `TensorProto.DataType` that can be read.
enum ONNXType: Int32, CaseIterable {
  case float32 = 1
  case uint8 = 2
  case int8 = 3
  case uint16 = 4
  case int16 = 5
  case int32 = 6
  case int64 = 7
  case bool = 9
  case float16 = 10
  case float64 = 11
  case uint32 = 12
  case uint64 = 13
  case bfloat16 = 16

  private static let list = allCases.map { "\($0)" }.joined(separator: ", ")

  /// The names of all types of the format, by number.
  private static let names = [
    "undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool",
    "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16",
    "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4",
    "float4e2m1", "float8e8m0", "uint2", "int2",
  ]

  /// A type's name; its number where it has none.
  static func name(_ code: Int) -> String { names.indices.contains(code) ? names[code] : "\(code)" }

  /// - Throws: `.unsupported` for a type that cannot be read.
  init(code: Int) throws(MartletError) {
    guard let type = Int32(exactly: code).flatMap(ONNXType.init(rawValue:)) else {
      throw MartletError(
        .unsupported, "the element type \(ONNXType.name(code)) is not supported",
        context: ["supported": ONNXType.list],
        hint: "export the model in float32, not quantised")
    }
    self = type
  }

  /// An integer as this type holds it: without the bits that it has no place for.
  func wrapped(_ value: Int64) -> Int64 {
    switch self {
    case .bool: value == 0 ? 0 : 1
    case .uint8: Int64(UInt8(truncatingIfNeeded: value))
    case .int8: Int64(Int8(truncatingIfNeeded: value))
    case .uint16: Int64(UInt16(truncatingIfNeeded: value))
    case .int16: Int64(Int16(truncatingIfNeeded: value))
    case .int32: Int64(Int32(truncatingIfNeeded: value))
    case .uint32: Int64(UInt32(truncatingIfNeeded: value))
    case .int64, .uint64, .float32, .float16, .float64, .bfloat16: value
    }
  }

  var isFloat: Bool {
    switch self {
    case .float32, .float16, .float64, .bfloat16: true
    default: false
    }
  }

  var size: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  static func half(_ bits: UInt16) -> Float { Float(Float16(bitPattern: bits)) }
  static func brain(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

  /// A tensor from little-endian bytes, of which there are `shape.count * size`.
  func tensor(_ shape: Shape, _ bytes: Data) -> Tensor {
    switch self {
    case .float32:
      Tensor(shape, mapped(bytes, UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) })
    case .float64:
      Tensor(
        shape, mapped(bytes, UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) })
    case .float16:
      Tensor(shape, mapped(bytes, UInt16.self) { ONNXType.half(UInt16(littleEndian: $0)) })
    case .bfloat16:
      Tensor(shape, mapped(bytes, UInt16.self) { ONNXType.brain(UInt16(littleEndian: $0)) })
    case .int64: Tensor(shape, mapped(bytes, Int64.self) { Int64(littleEndian: $0) })
    case .uint64:
      Tensor(shape, mapped(bytes, UInt64.self) { Int64(clamping: UInt64(littleEndian: $0)) })
    case .int32: Tensor(shape, mapped(bytes, Int32.self) { Int64(Int32(littleEndian: $0)) })
    case .uint32: Tensor(shape, mapped(bytes, UInt32.self) { Int64(UInt32(littleEndian: $0)) })
    case .int16: Tensor(shape, mapped(bytes, Int16.self) { Int64(Int16(littleEndian: $0)) })
    case .uint16: Tensor(shape, mapped(bytes, UInt16.self) { Int64(UInt16(littleEndian: $0)) })
    case .int8: Tensor(shape, mapped(bytes, Int8.self) { Int64($0) })
    case .uint8, .bool: Tensor(shape, mapped(bytes, UInt8.self) { Int64($0) })
    }
  }

  private func mapped<Source: BitwiseCopyable, Element>(
    _ bytes: Data, _ source: Source.Type, _ convert: (Source) -> Element
  ) -> [Element] {
    let size = MemoryLayout<Source>.size
    return bytes.withUnsafeBytes { buffer in
      [Element](unsafeUninitializedCapacity: buffer.count / size) { target, count in
        count = buffer.count / size
        for index in 0..<count {
          target.initializeElement(
            at: index,
            to: convert(buffer.loadUnaligned(fromByteOffset: index * size, as: Source.self)))
        }
      }
    }
  }
}
