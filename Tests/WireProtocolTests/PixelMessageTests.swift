import Foundations
import Tensors
import Testing
import WireProtocol

@Suite struct PixelMessageTests {
  /// A picture that packs well, or noise that does not.
  private func picture(_ shape: Shape, isNoise: Bool) -> [UInt8] {
    var random = SeededGenerator(seed: 17)
    return (0..<shape.count).map { index in
      isNoise
        ? UInt8.random(in: 0...255, using: &random)
        : UInt8(truncatingIfNeeded: index / shape[3] / 3 &+ index % shape[3] * 50)
    }
  }

  private func encoded(
    _ shape: Shape, _ pixels: [UInt8], isPacking: Bool, chunkBytes: Int = 1 << 18,
    maximumMessageBytes: Int = .max
  ) throws -> [[UInt8]] {
    var encoder = try TensorEncoder(elementType: .float32, chunkBytes: chunkBytes)
    encoder.maximumMessageBytes = maximumMessageBytes
    var result: [[UInt8]] = []
    let header = try header(shape: shape)
    pixels.withUnsafeBufferPointer {
      encoder.encodePixels(header, $0, isPacking: isPacking) { result.append($0) }
    }
    return result
  }

  @Test(
    arguments: [
      Shape([1, 7, 5, 3]), [1, 1, 1, 1], [1, 28, 28, 1], [1, 64, 40, 3], [1, 3, 1, 3],
    ], [false, true])
  func whatComesOutIsWhatWentIn(_ shape: Shape, _ isPacking: Bool) throws {
    for isNoise in [false, true] {
      let pixels = picture(shape, isNoise: isNoise)
      for chunkBytes in [1024, 1 << 18] {
        let messages = try encoded(shape, pixels, isPacking: isPacking, chunkBytes: chunkBytes)
        var assembler = ChunkAssembler(shape: shape)
        for (number, bytes) in messages.reversed().enumerated() {
          try decoding(bytes) { message in
            let sent = try header(shape: shape)
            #expect(message.isPixels && message.header == sent)
            // Rows stay whole: none of these is longer than a chunk.
            #expect(message.offset.isMultiple(of: shape[2] * shape[3]))
            let outcome = assembler.receive(message)
            #expect((outcome == .complete) == (number == messages.count - 1))
          }
        }
        #expect(assembler.withElements { Array($0) } == pixels.map { Float($0) })
      }
    }
  }

  @Test func packedIsSmallerOrNotPacked() throws {
    let shape = Shape([1, 64, 64, 3])
    func sizes(isNoise: Bool) throws -> (plain: Int, packed: Int, isPacked: Bool) {
      let pixels = picture(shape, isNoise: isNoise)
      let packed = try encoded(shape, pixels, isPacking: true)[0]
      return (
        try encoded(shape, pixels, isPacking: false)[0].count, packed.count,
        try decoding(packed) { $0.isPacked }
      )
    }
    let (smooth, noise) = (try sizes(isNoise: false), try sizes(isNoise: true))
    #expect(smooth.isPacked && smooth.packed * 10 < smooth.plain * 9)
    #expect(!noise.isPacked && noise.packed == noise.plain)
  }

  @Test func messagesKeepToTheBrokersLimit() throws {
    let shape = Shape([1, 100, 300, 3])
    let pixels = picture(shape, isNoise: true)
    // Rows of 900 bytes fit into 4096; into 1200, with their header, they do not.
    for limit in [4096, 1200] {
      let messages = try encoded(shape, pixels, isPacking: true, maximumMessageBytes: limit)
      #expect(messages.allSatisfy { $0.count <= limit })
      var assembler = ChunkAssembler(shape: shape)
      for bytes in messages { try decoding(bytes) { _ = assembler.receive($0) } }
      #expect(assembler.withElements { Array($0) } == pixels.map { Float($0) }, "\(limit)")
    }
  }

  private func packed(
    _ shape: String, count: String, offset: Int = 0, chunks: Int = 1, type: String = "U8",
    packing: String = "left-zlib", data: [UInt8]
  ) -> [UInt8] {
    safetensors(
      """
      {"__metadata__":{"frame":"1","shape":"\(shape)","chunks":"\(chunks)","offset":"\(offset)",\
      "packing":"\(packing)","count":"\(count)"},"tensor":{"dtype":"\(type)",\
      "shape":[\(data.count)],"data_offsets":[0,\(data.count)]}}
      """, data: data)
  }

  @Test func contradictionsAreRefused() throws {
    let data: [UInt8] = [1, 2, 3]
    // The control: well formed, although it cannot be unpacked.
    let whole = packed("1,2,4,1", count: "8", data: data)
    try decoding(whole) { message in
      #expect(message.isPacked && message.count == 8)
      var values = [Float](repeating: 9, count: 8)
      #expect(!values.withUnsafeMutableBufferPointer { message.decodeElements(into: $0) })
      #expect(elements(message) == [Float](repeating: 0, count: 8))
      var assembler = ChunkAssembler(shape: [1, 2, 4, 1])
      #expect(assembler.receive(message) == .rejected(.garbage) && !assembler.isComplete)
    }
    for (what, bytes) in [
      ("more than the shape", packed("1,2,4,1", count: "12", data: data)),
      ("no count", packed("1,2,4,1", count: "", data: data)),
      ("not smaller", packed("1,1,3,1", count: "3", data: data)),
      ("half a row", packed("1,2,4,1", count: "6", chunks: 2, data: data)),
      ("another packing", packed("1,2,4,1", count: "8", packing: "zip", data: data)),
      ("no image", packed("2,4", count: "8", data: data)),
      ("numbers", packed("1,2,4,1", count: "8", type: "I8", data: data)),
      ("no rows", packed("1,0,4,1", count: "0", data: [])),
      ("a bomb", packed("1,5000,5000,3", count: "75000000", data: data)),
    ] {
      #expect(throws: MartletError.self, "\(what)") { try decoding(bytes) { _ in } }
    }
  }

  /// What claims to be packed writes exactly as much as it said, or nothing is used.
  @Test func damagedPackingsAreNoticed() throws {
    let shape = Shape([1, 32, 32, 3])
    let original = try encoded(shape, picture(shape, isNoise: false), isPacking: true)[0]
    try #require(try decoding(original) { $0.isPacked })
    var random = SeededGenerator(seed: 5)
    var noticed = 0
    for _ in 0..<2000 {
      var bytes = original
      let start = bytes.count - (try decoding(original) { $0.data.count })
      bytes[Int.random(in: start..<bytes.count, using: &random)] ^=
        UInt8.random(in: 1...255, using: &random)
      try decoding(bytes) { message in
        var values = [Float](repeating: 0, count: message.count)
        if !values.withUnsafeMutableBufferPointer({ message.decodeElements(into: $0) }) {
          noticed += 1
        }
      }
    }
    // zlib's checksum sees nearly all; a few bits of its own header mean nothing.
    #expect(noticed > 1900)
  }
}
