import Foundations
import Inspection
import JSONCoding
import Recording
import Tensors
import WireProtocol

/// One message for scripts.
struct MessageRecord: Encodable {
  struct TensorPart: Encodable {
    var frame: UInt64
    var stage: Int
    var epoch: UInt64
    var plan: String
    var sequence: UInt64
    var client: String
    var layer: String
    var device: String
    var note: String?
    var chunk: Int
    var chunks: Int
    var shape: [Int]
    var type: String
    var scale: Float?
    var elements: Int
    var minimum: Float?
    var mean: Double?
    var maximum: Float?
    var zeroShare: Double?
    var notFinite: Int

    private enum CodingKeys: String, CodingKey {
      case frame, stage, epoch, plan, client, layer, device, note, chunk, chunks, shape, type
      case scale, elements, mean
      case sequence = "seq"
      case minimum = "min"
      case maximum = "max"
      case zeroShare = "zero_share"
      case notFinite = "not_finite"
    }

    init(_ tensor: MessageReading.TensorReading) {
      let (header, statistics) = (tensor.header, tensor.statistics)
      frame = header.frame
      stage = header.stage
      epoch = header.epoch
      plan = header.plan
      sequence = header.sequence
      client = header.client
      layer = header.layer
      device = header.device
      note = header.note.isEmpty ? nil : header.note
      chunk = tensor.chunk
      chunks = tensor.chunks
      shape = header.shape.dimensions
      type = tensor.elementType.rawValue
      scale = tensor.elementType.hasScale ? tensor.scale : nil
      elements = statistics.count
      minimum = statistics.minimum
      mean = statistics.mean
      maximum = statistics.maximum
      zeroShare = statistics.zeroShare
      notFinite = statistics.notFinite
    }
  }

  var received: Double
  var topic: String
  var bytes: Int
  var isRetained: Bool
  var ageSeconds: Int?
  var tensor: TensorPart?
  var json: JSONValue?
  var text: String?
  var hexadecimal: String?
  var attachedBytes: Int?
  var flaw: String?

  private enum CodingKeys: String, CodingKey {
    case topic, bytes, tensor, json, text, flaw
    case received = "received_unix_s"
    case isRetained = "retained"
    case ageSeconds = "age_s"
    case hexadecimal = "hex"
    case attachedBytes = "attached_bytes"
  }

  init(_ message: RecordedMessage, _ reading: MessageReading) {
    received = Double(message.time / 1_000_000) / 1000
    topic = message.topic
    bytes = message.payload.count
    isRetained = message.isRetained
    ageSeconds = MessageLine.ageSeconds(message, reading.topic)
    attachedBytes = reading.attachedBytes > 0 ? reading.attachedBytes : nil
    flaw = reading.flaw
    switch reading.content {
    case .empty: break
    case .tensor(let part): tensor = TensorPart(part)
    case .json(let value): json = value
    case .text(let value): text = value
    case .bytes(let value): hexadecimal = MessageLine.hexadecimal(value)
    }
  }
}
