import Foundation
import Tensors
import Testing

/// One model with inputs and the outputs of the reference runtime.
struct GoldenCase: Sendable, CustomTestStringConvertible {
  let name: String
  let model: Data
  let inputs: [Tensor]
  let outputs: [Tensor]

  var testDescription: String { name }

  /// The cases of `tools/golden/make-goldens.py` and `make-layer-goldens.py`; none of a file that
  /// cannot be read, which a test of its own notices.
  static let all = operators + layers
  static let operators = cases("operators")
  static let layers = cases("layers")

  /// The cases of `tools/golden/make-constant-goldens.py`; likewise.
  static let constants = cases("constants")

  private static func cases(_ name: String) -> [GoldenCase] {
    guard let url = Bundle.module.url(forResource: name, withExtension: "golden"),
      let data = try? Data(contentsOf: url)
    else { return [] }
    var reader = Reader(data: data)
    return (try? reader.cases()) ?? []
  }
}

/// Reads the format that `tools/golden/make-goldens.py` describes.
private struct Reader {
  struct Damaged: Error {}

  let data: Data
  var offset = 0

  mutating func bytes(_ count: Int) throws -> Data {
    guard count >= 0, count <= data.count - offset else { throw Damaged() }
    defer { offset += count }
    return data.subdata(in: offset..<offset + count)
  }

  mutating func number() throws -> Int {
    try bytes(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  mutating func tensors() throws -> [Tensor] {
    try (0..<number()).map { _ in
      let extents = try (0..<number()).map { _ in try number() }
      let shape = Shape(extents)
      let values = try bytes(shape.count * 4).withUnsafeBytes { buffer in
        (0..<shape.count).map {
          Float(
            bitPattern: UInt32(
              littleEndian: buffer.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
        }
      }
      return Tensor(shape, values)
    }
  }

  mutating func cases() throws -> [GoldenCase] {
    guard try bytes(17) == Data("martlet golden 1\n".utf8) else { throw Damaged() }
    return try (0..<number()).map { _ in
      let name = String(decoding: try bytes(number()), as: UTF8.self)
      return GoldenCase(
        name: name, model: try bytes(number()), inputs: try tensors(), outputs: try tensors())
    }
  }
}

/// The largest difference relative to the largest reference value: max |a - b| / max |b|.
func relativeError(_ actual: Tensor, _ expected: Tensor) -> Float {
  guard let a = actual.floats, let b = expected.floats, actual.shape == expected.shape else {
    return .infinity
  }
  let scale = b.reduce(0) { max($0, abs($1)) }
  let difference = zip(a, b).reduce(Float(0)) { largest, pair in
    let distance = abs(pair.0 - pair.1)
    return distance.isNaN ? .infinity : max(largest, distance)
  }
  return scale > 0 ? difference / scale : difference
}
