package import Foundations
package import Tensors

/// A received tensor message: the decoded header, and the elements where they lie.
///
/// Valid only as long as the bytes that it was made from. Nothing is allocated for the elements
/// until the caller, who knows what the plan expects, copies them.
package struct TensorMessage {
  /// What the tensor is.
  package let header: TensorHeader
  /// The element type on the wire.
  package let elementType: ElementType
  /// What to multiply `int8` elements with; 1 for other types.
  package let scale: Float
  /// The index of this chunk.
  package let chunk: Int
  /// How many chunks the tensor has; 1 when it travels whole.
  package let chunks: Int
  /// The first element of this chunk in the flattened tensor.
  package let offset: Int
  /// How many elements this chunk has.
  package let count: Int
  /// Whether the elements are packed rows of pixels; see `PixelPacking`.
  package let isPacked: Bool
  /// The elements as they were sent, little-endian.
  package let data: UnsafeRawBufferPointer
  let layout: ChunkLayout

  /// The longest header accepted, in bytes.
  package static let maximumHeaderBytes = 16 * 1024

  /// Reads an untrusted message: any safetensors file with one tensor and at least `frame` in its
  /// metadata. The form that `TensorEncoder` writes is read fast.
  ///
  /// - Throws: `MartletError` of code `invalidFile`, `invalidShape` or `unsupported`.
  package init(decoding bytes: UnsafeRawBufferPointer) throws(MartletError) {
    guard bytes.count >= 8 else {
      throw MartletError(
        .invalidFile, "a tensor message is too short", context: ["bytes": "\(bytes.count)"])
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(min(bytes.count - 8, TensorMessage.maximumHeaderBytes)) else {
      throw MartletError(
        .invalidFile, "the header of a tensor message is longer than it may be",
        context: ["header_bytes": "\(length)", "bytes": "\(bytes.count)"])
    }
    let split = 8 + Int(length)
    let text = UnsafeRawBufferPointer(rebasing: bytes[8..<split])
    let data = UnsafeRawBufferPointer(rebasing: bytes[split...])
    let fields: TensorFields
    if let fixed = TensorFields(fixedForm: text) {
      fields = fixed
    } else {
      fields = try TensorFields(anyForm: bytes)
    }
    try self.init(fields, data: data)
  }

  private init(_ fields: TensorFields, data: UnsafeRawBufferPointer) throws(MartletError) {
    func require(_ condition: Bool, _ what: StaticString) throws(MartletError) {
      guard condition else {
        throw MartletError(
          .invalidFile, "a tensor message contradicts itself or the contract",
          context: ["field": "\(what)"])
      }
    }
    try require(fields.sequence >= 0 && fields.frame >= 0 && fields.epoch >= 0, "metadata")
    try require(
      TensorHeader.areValid(
        plan: fields.plan, client: fields.client, layer: fields.layer, device: fields.device,
        frame: UInt64(fields.frame), stage: fields.stage, epoch: UInt64(fields.epoch)),
      "metadata")
    try require(TensorHeader.isValidNote(fields.note), "note")
    try require(fields.type == .uint8 || PackedElements.isSupported(fields.type), "dtype")
    let dataShape = try Shape(checking: fields.dataShape)
    let shape = try fields.shape.map { extents throws(MartletError) in
      try Shape(checking: extents)
    }
    let size = fields.type.size
    try require(
      fields.dataStart == 0 && fields.dataEnd == data.count
        && dataShape.count * size == data.count, "data_offsets")
    let whole = shape ?? dataShape
    let count = fields.packedCount ?? dataShape.count
    try require((fields.bytes ?? whole.count * size) == whole.count * size, "bytes")
    guard
      let layout = ChunkLayout(
        total: whole.count, chunk: fields.chunk, chunks: fields.chunks, offset: fields.offset,
        count: count)
    else {
      throw MartletError(
        .invalidFile, "a tensor message contradicts itself or the contract",
        context: ["field": "chunk"])
    }
    try require(fields.scale.isFinite && fields.scale > 0, "scale")
    isPacked = !fields.packing.isEmpty
    if isPacked {
      try require(
        fields.packing == PixelPacking.name && fields.type == .uint8 && whole.rank == 4
          && data.count < count && count <= PixelPacking.maximumBytes, "packing")
      let row = whole[2] * whole[3]
      try require(
        row > 0 && fields.offset.isMultiple(of: row) && count.isMultiple(of: row), "packing")
    }
    header = TensorHeader(
      unchecked: (), frame: UInt64(fields.frame), stage: fields.stage, epoch: UInt64(fields.epoch),
      sequence: UInt64(fields.sequence), plan: fields.plan, client: fields.client,
      layer: fields.layer, device: fields.device, shape: whole, note: fields.note)
    elementType = fields.type
    scale = fields.type.hasScale ? fields.scale : 1
    chunk = fields.chunk
    chunks = fields.chunks
    offset = fields.offset
    self.count = count
    self.data = data
    self.layout = layout
  }

  /// Whether the elements are pixels, bytes in rows from the top with channels side by side; they come
  /// as inputs only.
  package var isPixels: Bool { elementType == .uint8 }

  /// Whether no element of this chunk is an infinity or NaN.
  package var isFinite: Bool { PackedElements.areFinite(data, as: elementType, scale: scale) }

  /// Converts the elements of this chunk to float32, as zeros if they are packed and cannot be unpacked.
  ///
  /// - Precondition: `target` has exactly `count` elements.
  package func copyElements(into target: UnsafeMutableBufferPointer<Float>) {
    if !decodeElements(into: target) { target.update(repeating: 0) }
  }

  /// Converts the elements of this chunk to float32.
  ///
  /// - Returns: false for packed elements that cannot be unpacked.
  /// - Precondition: `target` has exactly `count` elements.
  package func decodeElements(into target: UnsafeMutableBufferPointer<Float>) -> Bool {
    guard isPacked else {
      PackedElements.copy(data, as: elementType, scale: scale, into: target)
      return true
    }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { pixels in
      let channels = header.shape[3]
      guard
        PixelPacking.unpack(data, row: header.shape[2] * channels, channels: channels, into: pixels)
      else { return false }
      PackedElements.copy(
        UnsafeRawBufferPointer(pixels), as: elementType, scale: scale, into: target)
      return true
    }
  }
}
