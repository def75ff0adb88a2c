package import Foundations
package import Tensors

/// Writes tensor messages: safetensors with one tensor named `tensor`, in a buffer that is used
/// again for the next message.
///
/// A message begins with eight bytes of header length, then the JSON header padded with spaces to
/// a multiple of eight, then the elements.
package struct TensorEncoder: Sendable {
  /// 256 KiB: below the packet limit of common brokers, and small enough to stream through them.
  package static let defaultChunkBytes = 256 * 1024

  /// The element type on the wire.
  package let elementType: ElementType
  /// The most element bytes in one message.
  package let chunkBytes: Int
  /// The most bytes of one message, its header included: a broker may take no more. Elements then
  /// travel in more chunks than `chunkBytes` asks for.
  package var maximumMessageBytes = Int.max
  /// The most element bytes in one message now, if less than `chunkBytes`: over a slow connection large
  /// ones take long.
  package var pieceBytes = Int.max
  private var buffer: [UInt8] = []

  /// - Throws: `MartletError.Code.invalidArgument` for an element type that tensor messages do not
  ///   have, or chunks of fewer than 1,024 bytes.
  package init(
    elementType: ElementType, chunkBytes: Int = TensorEncoder.defaultChunkBytes
  ) throws(MartletError) {
    guard PackedElements.isSupported(elementType) else {
      throw MartletError(
        .invalidArgument, "tensors cannot travel as this element type",
        context: ["type": elementType.rawValue],
        hint: "use \(PackedElements.supported.map(\.rawValue).listed(before: "or"))")
    }
    guard chunkBytes >= 1024 else {
      throw MartletError(
        .invalidArgument, "chunks are too small",
        context: ["chunk_bytes": "\(chunkBytes)", "least": "1024"])
    }
    self.elementType = elementType
    self.chunkBytes = chunkBytes
  }

  /// The least `maximumMessageBytes` with which tensors travel in pieces that are worth their header.
  package static let leastMessageBytes = 2048

  /// How many messages a tensor of this shape takes when messages may be of any size.
  package func chunkCount(of shape: Shape) -> Int { layout(shape, bytes: chunkBytes).chunks }

  /// No message of a tensor with this header is longer, in bytes.
  package func largestMessage(_ header: TensorHeader) -> Int {
    let elements = layout(header).range(of: 0).count
    return min(Self.headerBytes(header) + elements * elementType.size, maximumMessageBytes)
  }

  /// Encodes a tensor and hands each message over, in order.
  ///
  /// - Parameters:
  ///   - header: what the tensor is.
  ///   - values: `header.shape.count` elements, row-major.
  ///   - publish: called with each message. Keeping the array is allowed and costs a new buffer.
  /// - Precondition: the number of values is that of the shape.
  package mutating func encode<Failure: Error>(
    _ header: TensorHeader, _ values: UnsafeBufferPointer<Float>,
    publish: ([UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    precondition(values.count == header.shape.count, "\(values.count) values for \(header.shape)")
    let scale = elementType.hasScale ? PackedElements.scale(of: values) : 1
    let layout = layout(header)
    for chunk in 0..<layout.chunks {
      let range = layout.range(of: chunk)
      buffer.removeAll(keepingCapacity: true)
      buffer.reserveCapacity(1024 + range.count * elementType.size)
      writeHeader(
        header, Content(type: elementType, chunk: chunk, layout: layout, scale: scale))
      let part = UnsafeBufferPointer(rebasing: values[range])
      PackedElements.append(part, as: elementType, scale: scale, to: &buffer)
      try publish(buffer)
    }
  }

  /// Encodes an image and hands each message over, in order. Each holds whole rows, unless one is
  /// longer than a message may be, so that rows can be read, or sent, one by one.
  ///
  /// - Parameters:
  ///   - header: what the image is; its shape is 1, height, width, channels.
  ///   - pixels: rows from the top, channels side by side.
  ///   - isPacking: whether to deflate what that makes smaller by a tenth.
  ///   - publish: called with each message. Keeping the array is allowed and costs a new buffer.
  /// - Precondition: the number of bytes is that of the shape.
  package mutating func encodePixels<Failure: Error>(
    _ header: TensorHeader, _ pixels: UnsafeBufferPointer<UInt8>, isPacking: Bool,
    publish: ([UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    precondition(header.shape.rank == 4 && pixels.count == header.shape.count, "\(header.shape)")
    let channels = header.shape[3]
    let row = header.shape[2] * channels
    let room = room(header)
    let hasWholeRows = row > 0 && row <= room
    let layout = ChunkLayout(
      total: pixels.count, chunksOf: hasWholeRows ? room / row * row : room)
    for chunk in 0..<layout.chunks {
      let part = UnsafeBufferPointer(rebasing: pixels[layout.range(of: chunk)])
      var content = Content(type: .uint8, chunk: chunk, layout: layout)
      buffer.removeAll(keepingCapacity: true)
      if isPacking, hasWholeRows,
        let packed = PixelPacking.pack(part, row: row, channels: channels)
      {
        content.packedBytes = packed.count
        writeHeader(header, content)
        buffer.append(contentsOf: packed)
      } else {
        writeHeader(header, content)
        buffer.append(contentsOf: part)
      }
      try publish(buffer)
    }
  }

  private func layout(_ header: TensorHeader) -> ChunkLayout {
    layout(header.shape, bytes: max(room(header), elementType.size))
  }

  /// Bytes of elements in a message, at most.
  private func room(_ header: TensorHeader) -> Int {
    let wished = min(chunkBytes, pieceBytes)
    return maximumMessageBytes == .max
      ? wished : max(min(wished, maximumMessageBytes - Self.headerBytes(header)), 1)
  }

  private func layout(_ shape: Shape, bytes: Int) -> ChunkLayout {
    ChunkLayout(total: shape.count, chunksOf: bytes / elementType.size)
  }

  /// A bound of what `writeHeader` writes: its fixed words with numbers of twenty digits are 590 bytes.
  private static func headerBytes(_ header: TensorHeader) -> Int {
    let texts = [header.plan, header.client, header.layer, header.device, header.note]
    return texts.reduce(640 + 42 * header.shape.dimensions.count) { $0 + $1.utf8.count }
  }

  /// What one message holds.
  private struct Content {
    var type: ElementType
    var chunk: Int
    var layout: ChunkLayout
    var scale: Float = 1
    /// How many bytes of packed pixels; nil for elements as they are.
    var packedBytes: Int?
  }

  /// The order of the fields is that of `TensorFields.init(fixedForm:)`, which reads them fast.
  private mutating func writeHeader(_ header: TensorHeader, _ content: Content) {
    let (type, layout) = (content.type, content.layout)
    let range = layout.range(of: content.chunk)
    buffer.append(contentsOf: repeatElement(0, count: 8))
    write("{\"__metadata__\":{\"frame\":\"", header.frame)
    write("\",\"stage\":\"", UInt64(header.stage))
    write("\",\"epoch\":\"", header.epoch)
    write("\",\"plan\":\"", header.plan)
    write("\",\"seq\":\"", header.sequence)
    write("\",\"client\":\"", header.client)
    write("\",\"layer\":\"", header.layer)
    write("\",\"device\":\"", header.device)
    write("\",\"chunk\":\"", UInt64(content.chunk))
    write("\",\"chunks\":\"", UInt64(layout.chunks))
    write("\",\"offset\":\"", UInt64(range.lowerBound))
    write("\",\"bytes\":\"", UInt64(header.shape.count * type.size))
    write("\",\"shape\":\"")
    write(header.shape.dimensions)
    if !header.note.isEmpty { write("\",\"note\":\"", header.note) }
    if type.hasScale { write("\",\"scale\":\"", content.scale.description) }
    if content.packedBytes != nil {
      write("\",\"packing\":\"", PixelPacking.name)
      write("\",\"count\":\"", UInt64(range.count))
    }
    write("\"},\"tensor\":{\"dtype\":\"", type.rawValue)
    write("\",\"shape\":[")
    if layout.chunks == 1, content.packedBytes == nil {
      write(header.shape.dimensions)
    } else {
      write([content.packedBytes ?? range.count])
    }
    write("],\"data_offsets\":[0,", UInt64(content.packedBytes ?? range.count * type.size))
    write("]}}")
    while buffer.count % 8 != 0 { buffer.append(UInt8(ascii: " ")) }
    let length = UInt64(buffer.count - 8)
    for index in 0..<8 { buffer[index] = UInt8(truncatingIfNeeded: length >> (8 * UInt64(index))) }
  }

  private mutating func write(_ text: StaticString) {
    buffer.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func write(_ text: StaticString, _ value: String) {
    write(text)
    buffer.append(contentsOf: value.utf8)
  }

  private mutating func write(_ text: StaticString, _ value: UInt64) {
    write(text)
    write(value)
  }

  private mutating func write(_ values: [Int]) {
    for (index, value) in values.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      write(UInt64(value))
    }
  }

  private mutating func write(_ value: UInt64) {
    let start = buffer.count
    var rest = value
    repeat {
      buffer.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    buffer[start...].reverse()
  }
}
