import Foundations
import TensorFiles
import Tensors

extension TensorFields {
  /// Reads the header of any safetensors message with one tensor and, at least, `frame` in its
  /// metadata. Names that are not of the contract are ignored.
  init(anyForm message: UnsafeRawBufferPointer) throws(MartletError) {
    let file = try SafetensorsHeader.decode(message, total: message.count, source: "tensor message")
    guard file.entries.count == 1, let tensor = file.entries.first else {
      throw MartletError(
        .invalidFile, "a tensor message must hold one tensor",
        context: ["tensors": "\(file.entries.count)"])
    }
    self.init()
    let metadata = file.metadata
    func flaw(_ name: String) -> MartletError {
      MartletError(
        .invalidFile, "the metadata of a tensor message are missing or unreadable",
        context: ["field": name])
    }
    func number(_ name: String, _ standard: Int?) throws(MartletError) -> Int {
      guard let text = metadata[name] else {
        guard let standard else { throw flaw(name) }
        return standard
      }
      guard let value = TensorFields.number(text) else { throw flaw(name) }
      return value
    }
    frame = try number("frame", nil)
    stage = try number("stage", 0)
    epoch = try number("epoch", 0)
    sequence = try number("seq", 0)
    chunk = try number("chunk", 0)
    chunks = try number("chunks", 1)
    offset = try number("offset", 0)
    if metadata["bytes"] != nil { bytes = try number("bytes", nil) }
    plan = metadata["plan"] ?? ""
    client = metadata["client"] ?? ""
    layer = metadata["layer"] ?? ""
    device = metadata["device"] ?? ""
    note = metadata["note"] ?? ""
    packing = metadata["packing"] ?? ""
    if !packing.isEmpty { packedCount = try number("count", nil) }
    if let text = metadata["shape"] {
      let extents = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
      guard extents.count <= 16 else { throw flaw("shape") }
      shape = try extents.map { extent throws(MartletError) in
        guard let value = TensorFields.number(extent) else { throw flaw("shape") }
        return value
      }
    }
    if let text = metadata["scale"] {
      guard let value = Float(text) else { throw flaw("scale") }
      scale = value
    }
    type = tensor.elementType
    dataShape = tensor.shape.dimensions
    dataStart = tensor.range.lowerBound
    dataEnd = tensor.range.upperBound
  }

  /// Plain decimal digits, at most 18 of them.
  private static func number(_ text: some StringProtocol) -> Int? {
    guard (1...18).contains(text.utf8.count),
      text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return Int(text)
  }
}
