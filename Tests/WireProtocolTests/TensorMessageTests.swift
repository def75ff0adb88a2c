import Foundations
import Tensors
import Testing
import WireProtocol

@Suite struct TensorMessageTests {
  @Test(arguments: [Shape([2, 3, 4]), [], [0], [5, 0, 2], [1], [1, 1, 1, 1, 1, 1, 1, 1, 7]])
  func roundTripsFloat32(shape: Shape) throws {
    let values = (0..<shape.count).map { Float($0) * 0.37 - 3 }
    let header = try header(shape: shape)
    let encoded = try messages(header, values)
    #expect(encoded.count == 1)
    try decoding(encoded[0]) { message in
      #expect(message.header == header)
      #expect(message.elementType == .float32 && message.chunk == 0 && message.chunks == 1)
      #expect(message.offset == 0 && message.count == shape.count)
      #expect(elements(message) == values)
    }
  }

  @Test func extremeHeaders() throws {
    let id = String(repeating: "x", count: 32)
    let extreme = try TensorHeader(
      frame: Epoch.maximum, stage: 1 << 20, epoch: Epoch.maximum, sequence: 1 << 50,
      plan: String(repeating: "A.", count: 32), client: id, layer: id, device: id, shape: [1])
    try decoding(messages(extreme, [1])[0]) { #expect($0.header == extreme) }
    let small = try TensorHeader(plan: "p", device: "d", shape: [1])
    try decoding(messages(small, [1])[0]) { #expect($0.header == small) }
  }

  @Test(arguments: [
    ("", "", "", "d"), ("p", "C", "", "d"), ("p", "", "a/b", "d"), ("p", "", "", ""),
    ("p\"", "", "", "d"), ("p", "", "", "d\\"),
    (String(repeating: "p", count: 65), "", "", "d"),
  ])
  func refusesBadNames(plan: String, client: String, layer: String, device: String) {
    #expect(throws: MartletError.self) {
      try TensorHeader(plan: plan, client: client, layer: layer, device: device, shape: [1])
    }
  }

  @Test func half() throws {
    let values: [Float] = [0, -0.5, 1, 65504, 1e-7, 1 / 3, -2048.75, .infinity]
    try decoding(messages(header(shape: [8]), values, as: .float16)[0]) { message in
      #expect(message.elementType == .float16)
      for (sent, got) in zip(values, elements(message)) {
        #expect(got == sent || abs(got - sent) <= max(abs(sent) * 0x1p-11, 0x1p-25))
      }
    }
  }

  @Test func int8WithScale() throws {
    let seed: UInt64 = 8
    var random = SeededGenerator(seed: seed)
    let values = (0..<1001).map { _ in Float.random(in: -6...6, using: &random) }
    let largest = values.map(abs).max() ?? 0
    try decoding(messages(header(shape: [1001]), values, as: .int8)[0]) { message in
      #expect(message.scale == largest / 127)
      for (sent, got) in zip(values, elements(message)) {
        #expect(abs(sent - got) <= message.scale * 0.5001, "seed \(seed)")
      }
    }
  }

  @Test func int8OfOddValues() throws {
    let odd: [Float] = [.nan, 0, -1, 1, -.nan]
    try decoding(messages(header(shape: [5]), odd, as: .int8)[0]) {
      #expect(elements($0) == [0, 0, -1, 1, 0])
    }
    try decoding(messages(header(shape: [3]), [0, -0.0, 0], as: .int8)[0]) {
      #expect(elements($0) == [0, 0, 0])
    }
    let huge: [Float] = [-.infinity, .greatestFiniteMagnitude]
    try decoding(messages(header(shape: [2]), huge, as: .int8)[0]) { message in
      #expect(elements(message).allSatisfy { $0.isFinite && abs($0) > 3e38 })
    }
  }

  @Test(arguments: [ElementType.float32, .float16, .int8])
  func roundTripHelperEqualsTheWire(type: ElementType) throws {
    var random = SeededGenerator(seed: 2)
    let values = (0..<777).map { _ in Float.random(in: -6...6, using: &random) }
    var local = values
    local.withUnsafeMutableBufferPointer { PackedElements.roundTrip($0, as: type) }
    try decoding(messages(header(shape: [777]), values, as: type)[0]) {
      #expect(elements($0) == local)
    }
  }

  @Test func unalignedBuffers() throws {
    for type in [ElementType.float32, .float16, .int8] {
      let values: [Float] = [1, 2, -3, 4, 127]
      let encoded = try messages(header(shape: [5]), values, as: type)[0]
      for shift in 1..<4 {
        let shifted = [UInt8](repeating: 0, count: shift) + encoded
        try shifted.withUnsafeBytes { bytes in
          let message = try TensorMessage(
            decoding: UnsafeRawBufferPointer(rebasing: bytes[shift...]))
          #expect(elements(message) == values)
        }
      }
    }
  }

  @Test func acceptsAnySafetensorsForm() throws {
    let json = #"""
      { "image" : {"shape": [2,2], "data_offsets": [0, 8], "dtype": "F16"},
        "__metadata__": {"later": "yes", "device": "py", "frame": "12"} }
      """#
    let bytes = safetensors(json, data: [0, 0x3c, 0, 0x40, 0, 0, 0, 0xbc])
    try decoding(bytes) { message in
      #expect(message.header.frame == 12 && message.header.device == "py")
      #expect(message.header.plan == "" && message.header.epoch == 0)
      #expect(message.header.shape == [2, 2] && message.elementType == .float16)
      #expect(elements(message) == [1, 2, 0, -1])
    }
  }

  @Test func generalFormOfAChunk() throws {
    let original = try messages(
      header(shape: [600]), (0..<600).map(Float.init), chunkBytes: 1024)
    #expect(original.count == 3)
    for bytes in original {
      // Another space in the JSON text takes the general path.
      let length = Int(bytes[0]) + Int(bytes[1]) << 8
      let text = String(decoding: bytes[8..<8 + length], as: UTF8.self)
      let spaced = safetensors("{ " + text.dropFirst(), data: Array(bytes[(8 + length)...]))
      try decoding(bytes) { fast in
        try decoding(Array(spaced)) { general in
          #expect(fast.header == general.header && elements(fast) == elements(general))
          #expect(fast.offset == general.offset && fast.chunk == general.chunk)
        }
      }
    }
  }

  static let valid =
    #"{"__metadata__":{"frame":"1"},"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#

  @Test(arguments: [
    (#""frame":"1""#, #""stage":"1""#), (#""frame":"1""#, #""frame":"-1""#),
    (#""frame":"1""#, #""frame":"9999999999999999999999""#), (#""frame":"1""#, #""frame":1"#),
    (#""frame":"1""#, #""frame":"99999999999999999""#),
    (#""frame":"1""#, #""frame":"1","device":"A""#), (#""frame":"1""#, #""frame":"1","plan":"\"""#),
    (#""frame":"1""#, #""frame":"1","chunks":"0""#), (#""frame":"1""#, #""frame":"1","chunk":"1""#),
    (#""frame":"1""#, #""frame":"1","chunks":"2""#),
    (#""frame":"1""#, #""frame":"1","offset":"1""#),
    (#""frame":"1""#, #""frame":"1","bytes":"9""#), (#""frame":"1""#, #""frame":"1","shape":"3""#),
    (#""frame":"1""#, #""frame":"1","shape":"2,""#),
    (#""frame":"1""#, #""frame":"1","shape":"99999999999,99999999999""#),
    (#""frame":"1""#, #""frame":"1","scale":"nan""#),
    (#""frame":"1""#, #""frame":"1","scale":"-1""#),
    (#""frame":"1""#, #""frame":"1","stage":"99999999""#),
    (#""F32""#, #""I64""#), (#""F32""#, #""F99""#), ("[2]", "[3]"), ("[2]", "[-2]"),
    ("[2]", "[2,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"), ("[0,8]", "[0,4]"), ("[0,8]", "[4,8]"),
    ("[0,8]", "[8,0]"), ("[0,8]", "[0,16]"), ("}}", "}"), ("}}", "}}}"), (valid, "{}"), (valid, ""),
  ])
  func refusesContradictions(old: String, new: String) throws {
    let data = [UInt8](repeating: 0, count: 8)
    #expect(throws: Never.self) { try decoding(safetensors(Self.valid, data: data)) { _ in } }
    let parts = Self.valid.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(parts.count == 2)
    let bytes = safetensors(parts[0] + new + parts[1], data: data)
    #expect(throws: MartletError.self) { try decoding(bytes) { _ in } }
  }

  @Test(arguments: [
    [], [0], [UInt8](repeating: 0, count: 8), [UInt8](repeating: 255, count: 8),
    [255, 255, 255, 255, 255, 255, 255, 127, 0, 0], [2, 0, 0, 0, 0, 0, 0, 0, 0x7b],
    [1, 0, 2, 0, 0, 0, 0, 0] + [UInt8](repeating: 32, count: 131_073),
  ])
  func refusesBrokenLengths(bytes: [UInt8]) {
    #expect(throws: MartletError.self) { try decoding(bytes) { _ in } }
  }

  /// JSON has no leading zeros, so the fixed form has none either.
  @Test func refusesLeadingZeros() throws {
    let bytes = try messages(header(shape: [5]), [1, 2, 3, 4, 5])[0]
    let length = Int(bytes[0]) + Int(bytes[1]) << 8
    let text = String(decoding: bytes[8..<8 + length], as: UTF8.self)
    let parts = text.split(separator: "\"shape\":[5]", omittingEmptySubsequences: false)
    try #require(parts.count == 2)
    let changed = safetensors(
      parts[0] + "\"shape\":[05]" + parts[1], data: Array(bytes[(8 + length)...]))
    #expect(throws: MartletError.self) { try decoding(changed) { _ in } }
  }

  @Test func decodingSurvivesNoise() throws {
    let seed: UInt64 = 99
    var random = SeededGenerator(seed: seed)
    var originals: [[UInt8]] = []
    for type in [ElementType.float32, .float16, .int8] {
      originals += try messages(
        header(shape: [3, 200]), [Float](repeating: 1, count: 600), as: type, chunkBytes: 1024)
    }
    var accepted = 0
    for round in 0..<60_000 {
      var bytes = originals.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        // Mostly in the header, where it matters.
        var head = Array(bytes.prefix(380))
        mutate(&head, using: &random)
        bytes = head + bytes.dropFirst(380)
      }
      let count = try? decoding(bytes) { message in
        #expect(message.offset + message.count <= message.header.shape.count, "\(seed), \(round)")
        return elements(message).count
      }
      if count != nil { accepted += 1 }
    }
    #expect(accepted > 100 && accepted < 50_000, "seed \(seed): the mutations test nothing")
  }

  /// What costs count for it.
  @Test(arguments: [1, 0.1, 1e-30, 3.3e20, 1.0 / 3, .leastNormalMagnitude * 127] as [Float])
  func aScaleTakesLittle(largest: Float) throws {
    let message = try messages(header(shape: [1, 4]), [largest, 0, 0, -largest], as: .int8)[0]
    // Behind the header's length.
    let text = Array(message.dropFirst(8).prefix { $0 < 0x80 })
    let field = Array("\",\"scale\":\"".utf8)
    let start = try #require(
      text.indices.first { text[$0...].starts(with: field) })
    let digits = text[(start + field.count)...].prefix { $0 != UInt8(ascii: "\"") }
    #expect(!digits.isEmpty && field.count + digits.count <= PackedElements.scaleBytes)
  }
}
