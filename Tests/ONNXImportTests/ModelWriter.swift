import Foundation

/// Just enough of the protocol buffer encoding to write models, correct and otherwise.
struct Message {
  private(set) var bytes: [UInt8] = []

  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var result: [UInt8] = []
    while rest >= 0x80 {
      result.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return result + [UInt8(rest)]
  }

  mutating func add(_ field: Int, _ value: Int) {
    bytes += Message.varint(UInt64(field << 3)) + Message.varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: Int, _ value: [UInt8]) {
    bytes += Message.varint(UInt64(field << 3 | 2)) + Message.varint(UInt64(value.count)) + value
  }

  mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }

  mutating func add(_ field: Int, _ message: Message) { add(field, message.bytes) }
}

/// A model under construction; tests change parts of it to make it wrong.
struct ModelWriter {
  enum Dimension {
    case fixed(Int)
    case open(String)
  }

  var opset = 17
  var domain = ""
  var nodes: [Message] = []
  var initialisers: [Message] = []
  var inputs: [Message] = []
  var outputs: [Message] = []

  mutating func node(
    _ kind: String, _ inputs: [String], _ outputs: [String], name: String = "", domain: String = "",
    integers: [String: [Int]] = [:], numbers: [String: Int] = [:], texts: [String: String] = [:]
  ) {
    var message = Message()
    for input in inputs { message.add(1, input) }
    for output in outputs { message.add(2, output) }
    if !name.isEmpty { message.add(3, name) }
    message.add(4, kind)
    for (key, values) in integers.sorted(by: { $0.key < $1.key }) {
      var attribute = Message()
      attribute.add(1, key)
      for value in values { attribute.add(8, value) }
      attribute.add(20, 7)
      message.add(5, attribute)
    }
    for (key, value) in numbers.sorted(by: { $0.key < $1.key }) {
      var attribute = Message()
      attribute.add(1, key)
      attribute.add(3, value)
      attribute.add(20, 2)
      message.add(5, attribute)
    }
    for (key, value) in texts.sorted(by: { $0.key < $1.key }) {
      var attribute = Message()
      attribute.add(1, key)
      attribute.add(4, value)
      attribute.add(20, 3)
      message.add(5, attribute)
    }
    if !domain.isEmpty { message.add(7, domain) }
    nodes.append(message)
  }

  static func tensor(
    _ name: String, _ extents: [Int], type: Int, raw: [UInt8]? = nil,
    external: [String: String]? = nil
  ) -> Message {
    var message = Message()
    for extent in extents { message.add(1, extent) }
    message.add(2, type)
    message.add(8, name)
    if let raw { message.add(9, raw) }
    if let external {
      for (key, value) in external.sorted(by: { $0.key < $1.key }) {
        var entry = Message()
        entry.add(1, key)
        entry.add(2, value)
        message.add(13, entry)
      }
      message.add(14, 1)
    }
    return message
  }

  mutating func floats(_ name: String, _ extents: [Int], _ values: [Float]) {
    let raw = values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
    initialisers.append(ModelWriter.tensor(name, extents, type: 1, raw: raw))
  }

  mutating func integers(_ name: String, _ values: [Int]) {
    let raw = values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    initialisers.append(ModelWriter.tensor(name, [values.count], type: 7, raw: raw))
  }

  private static func information(_ name: String, _ dimensions: [Dimension], type: Int) -> Message {
    var shape = Message()
    for dimension in dimensions {
      var message = Message()
      switch dimension {
      case .fixed(let extent): message.add(1, extent)
      case .open(let name): message.add(2, name)
      }
      shape.add(1, message)
    }
    var tensor = Message()
    tensor.add(1, type)
    tensor.add(2, shape)
    var wrapper = Message()
    wrapper.add(1, tensor)
    var value = Message()
    value.add(1, name)
    value.add(2, wrapper)
    return value
  }

  mutating func input(_ name: String, _ dimensions: [Dimension], type: Int = 1) {
    inputs.append(ModelWriter.information(name, dimensions, type: type))
  }

  mutating func output(_ name: String) {
    outputs.append(ModelWriter.information(name, [], type: 1))
  }

  var bytes: [UInt8] {
    var graph = Message()
    for node in nodes { graph.add(1, node) }
    graph.add(2, "test")
    for tensor in initialisers { graph.add(5, tensor) }
    for input in inputs { graph.add(11, input) }
    for output in outputs { graph.add(12, output) }
    var version = Message()
    if !domain.isEmpty { version.add(1, domain) }
    version.add(2, opset)
    var model = Message()
    model.add(1, 8)
    model.add(7, graph)
    model.add(8, version)
    return model.bytes
  }

  /// A convolution, an activation, pooling and a dense layer, with some shape arithmetic.
  static var small: ModelWriter {
    var model = ModelWriter()
    model.input("x", [.open("batch"), .fixed(2), .fixed(6), .fixed(6)])
    model.floats("w", [3, 2, 3, 3], (0..<54).map { Float($0 % 7) - 3 })
    model.floats("b", [3], [0.5, -0.5, 0.25])
    model.floats("v", [4, 12], (0..<48).map { Float($0 % 5) - 2 })
    model.integers("s", [0, -1])
    model.node("Conv", ["x", "w", "b"], ["c"], name: "conv", integers: ["pads": [1, 1, 1, 1]])
    model.node("Relu", ["c"], ["r"], name: "relu")
    model.node(
      "MaxPool", ["r"], ["p"], name: "pool",
      integers: ["kernel_shape": [3, 3], "strides": [2, 2]])
    model.node("Reshape", ["p", "s"], ["f"], name: "flat")
    model.node("Gemm", ["f", "v"], ["y"], name: "fc", numbers: ["transB": 1])
    model.output("y")
    return model
  }
}

/// A folder of one test, removed afterwards.
final class TemporaryFolder {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory.appending(
        path: "martlet-onnx-\(UUID().uuidString)"
      ).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ bytes: [UInt8], _ name: String = "model.onnx") throws -> String {
    let file = "\(path)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }
}
