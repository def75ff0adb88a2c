import Foundations
import Inspection
import Tensors
import TestSupport
import Testing
import WireProtocol

@Suite struct TensorCollectorTests {
  private let topic = "martlet/1/default/act/conv-1/d2"

  private func collect(
    _ messages: [[UInt8]], _ collector: inout TensorCollector
  ) throws -> [TensorCollector.Collected] {
    try messages.compactMap { bytes in
      try decoding(bytes) { collector.receive($0, topic: topic) }
    }
  }

  @Test(arguments: [ElementType.float32, .float16, .int8])
  func chunksInAnyOrderMakeTheTensor(_ type: ElementType) throws {
    var random = SeededGenerator(4)
    let values = (0..<3000).map { Float($0 % 255) - 127 }
    let messages = try tensorMessages([3, 1000], values, as: type, chunkBytes: 1024)
    #expect(messages.count > 2)
    for _ in 0..<20 {
      var collector = TensorCollector(root: root)
      let order = messages.shuffled(using: &random)
      // All but one first: nothing is whole yet. Then everything again.
      #expect(try collect(Array(order.dropLast()), &collector).isEmpty)
      let whole = try collect(order, &collector)
      #expect(whole.first?.tensor == Tensor([3, 1000], values))
      #expect(whole.first?.name == "act.conv-1.d2.cam.frame-7")
      #expect(
        whole.first?.metadata.contains { $0.key == "wire" && $0.value == type.rawValue } == true)
    }
  }

  /// Of one frame, each device may get another strip: pieces do not mix, and no file is in another's way.
  @Test func inputsForSingleDevicesAreToldApart() throws {
    var collector = TensorCollector(root: root)
    let strips = try [Float(1), 2].map {
      try tensorMessages([600], [Float](repeating: $0, count: 600), chunkBytes: 1024)
    }
    var got: [TensorCollector.Collected] = []
    for (first, second) in zip(strips[0], strips[1]) {
      for (device, bytes) in [("d0", first), ("d1", second)] {
        try decoding(bytes) {
          if let whole = collector.receive($0, topic: "martlet/1/default/input/cam/\(device)") {
            got.append(whole)
          }
        }
      }
    }
    #expect(got.map(\.name) == ["input.cam.d0.frame-7", "input.cam.d1.frame-7"])
    #expect(got.map { $0.tensor.floats?.first } == [1, 2])
    #expect(got.allSatisfy { Set($0.tensor.floats ?? []).count == 1 })
    let whole = try decoding(try tensorMessages([1], [1])[0]) {
      collector.receive($0, topic: "martlet/1/default/input/cam")
    }
    #expect(whole?.name == "input.cam.frame-7")
  }

  @Test func aNewerFrameReplacesAnUnfinishedOne() throws {
    var collector = TensorCollector(root: root)
    let values = [Float](repeating: 1, count: 600)
    let first = try tensorMessages([600], values, frame: 1, chunkBytes: 1024)
    let second = try tensorMessages([600], values, frame: 2, chunkBytes: 1024)
    // A part may also change its shape from frame to frame, when devices come or go.
    let third = try tensorMessages([500], Array(values.prefix(500)), frame: 3, chunkBytes: 1024)
    let got = try collect([first[0]] + second + [second[0]] + third, &collector)
    #expect(got.map(\.tensor.shape) == [[600], [500]])
    #expect(collector.abandoned == 2)
  }

  @Test func memoryIsBounded() throws {
    var collector = TensorCollector(root: root, maximumBytes: 10_000)
    let large = try tensorMessages([2501], [Float](repeating: 1, count: 2501), chunkBytes: 1024)
    #expect(try collect(large, &collector).isEmpty)
    #expect(collector.refused == UInt64(large.count))
    // A tensor begun on each of many topics: the oldest give way, the newest can be finished.
    let messages = try tensorMessages([600], [Float](repeating: 2, count: 600), chunkBytes: 1024)
    for index in 0..<1000 {
      try decoding(messages[0]) { _ = collector.receive($0, topic: "t/\(index)") }
    }
    #expect(collector.abandoned == 1000 - 4)
    var finished: TensorCollector.Collected?
    for bytes in messages.dropFirst() {
      try decoding(bytes) { finished = collector.receive($0, topic: "t/999") ?? finished }
    }
    #expect(finished?.tensor.floats == [Float](repeating: 2, count: 600))
  }

  @Test(arguments: [
    "../../etc/passwd", "/", "a/../../b", "", "\u{0}\n",
    "martlet/1/default/act/../..", "martlet/1/default/act/conv-1/d2", "martlet/1/default/input/cam",
  ])
  func namesStayInTheFolder(_ topic: String) throws {
    try check(topic)
    try check(String(repeating: topic, count: 1000))
  }

  private func check(_ topic: String) throws {
    var collector = TensorCollector(root: root)
    let message = try tensorMessages([1], [1])[0]
    let got = try decoding(message) { collector.receive($0, topic: topic) }
    let name = try #require(got?.name)
    #expect(name.utf8.count <= 160 && !name.hasPrefix("."))
    #expect(
      name.utf8.allSatisfy { byte in
        Identifier.isValid(String(UnicodeScalar(byte))) || byte == UInt8(ascii: ".")
      })
  }
}
