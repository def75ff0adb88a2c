import Foundations
import Tensors
import WireProtocol

/// Seconds on a clock that tests set themselves.
func seconds(_ value: Double) -> MonotonicTime {
  MonotonicTime(nanoseconds: UInt64(value * 1e9))
}

func header(
  frame: UInt64 = 7, epoch: UInt64 = 1_760_000_000_000, plan: String = "p-1",
  layer: String = "conv-1", device: String = "pi-2", shape: Shape
) throws -> TensorHeader {
  try TensorHeader(
    frame: frame, stage: 3, epoch: epoch, sequence: 41, plan: plan, client: "cam", layer: layer,
    device: device, shape: shape)
}

/// The messages of a tensor.
func messages(
  _ header: TensorHeader, _ values: [Float], as type: ElementType = .float32,
  chunkBytes: Int = TensorEncoder.defaultChunkBytes
) throws -> [[UInt8]] {
  var encoder = try TensorEncoder(elementType: type, chunkBytes: chunkBytes)
  var result: [[UInt8]] = []
  values.withUnsafeBufferPointer { buffer in
    encoder.encode(header, buffer) { message in result.append(message) }
  }
  return result
}

/// Decodes a message and gives it to `body`.
func decoding<Result>(
  _ bytes: [UInt8], _ body: (TensorMessage) throws -> Result
) throws -> Result {
  try bytes.withUnsafeBytes { try body(TensorMessage(decoding: $0)) }
}

/// The elements of one message as float32.
func elements(_ message: TensorMessage) -> [Float] {
  var values = [Float](repeating: .nan, count: message.count)
  values.withUnsafeMutableBufferPointer { message.copyElements(into: $0) }
  return values
}

/// A safetensors message with that header text, padded, and those data.
func safetensors(_ json: String, data: [UInt8]) -> [UInt8] {
  var text = Array(json.utf8)
  while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
  let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
  return length + text + data
}
