import Foundations
import Inspection
import Tensors
import WireProtocol

/// Seconds on a clock that tests set themselves.
func seconds(_ value: Double) -> MonotonicTime { MonotonicTime(nanoseconds: UInt64(value * 1e9)) }

let root: TopicRoot = {
  guard let root = try? TopicRoot(deployment: "default") else {
    preconditionFailure("this is an identifier")
  }
  return root
}()

/// The messages of a tensor of one layer of one device.
func tensorMessages(
  _ shape: Shape, _ values: [Float], frame: UInt64 = 7, as type: ElementType = .float32,
  chunkBytes: Int = TensorEncoder.defaultChunkBytes
) throws -> [[UInt8]] {
  let header = try TensorHeader(
    frame: frame, stage: 3, epoch: 1_760_000_000_000, sequence: 41, plan: "p-1", client: "cam",
    layer: "conv-1", device: "d2", shape: shape)
  var encoder = try TensorEncoder(elementType: type, chunkBytes: chunkBytes)
  var result: [[UInt8]] = []
  values.withUnsafeBufferPointer { buffer in
    encoder.encode(header, buffer) { message in result.append(message) }
  }
  return result
}

/// Gives the decoded message to `body`.
func decoding<Result>(_ bytes: [UInt8], _ body: (TensorMessage) throws -> Result) throws -> Result {
  try bytes.withUnsafeBytes { try body(TensorMessage(decoding: $0)) }
}
