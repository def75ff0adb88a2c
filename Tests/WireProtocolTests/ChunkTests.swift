import Foundations
import Tensors
import Testing
import WireProtocol

@Suite struct ChunkTests {
  /// Feeds one message.
  private func feed(
    _ assembler: inout ChunkAssembler, _ bytes: [UInt8]
  ) throws -> ChunkAssembler.Outcome {
    try bytes.withUnsafeBytes { assembler.receive(try TensorMessage(decoding: $0)) }
  }

  @Test func chunkSizes() throws {
    let encoder = try TensorEncoder(elementType: .float32)
    #expect(encoder.chunkCount(of: [65536]) == 1)
    #expect(encoder.chunkCount(of: [65537]) == 2)
    #expect(encoder.chunkCount(of: [0]) == 1)
    #expect(throws: MartletError.self) { try TensorEncoder(elementType: .int64) }
    #expect(throws: MartletError.self) { try TensorEncoder(elementType: .float32, chunkBytes: 4) }
    for bytes in try messages(header(shape: [65537]), [Float](repeating: 0, count: 65537)) {
      #expect(bytes.count <= 256 * 1024 + 1024)
    }
  }

  /// A broker's limit holds for whole messages, whatever their headers say.
  @Test(arguments: [ElementType.float32, .float16, .int8])
  func noMessageIsLargerThanAllowed(type: ElementType) throws {
    for seed in UInt64(1)...40 {
      var random = SeededGenerator(seed: seed)
      let shape = Shape([Int.random(in: 1..<40, using: &random), 331])
      let limit = Int.random(in: 2048..<20_000, using: &random)
      var header = try header(frame: .random(in: 0..<1 << 53, using: &random), shape: shape)
      header.sequence = .random(in: 0..<1 << 53, using: &random)
      header.note = String(repeating: "d", count: .random(in: 0..<1024, using: &random))
      let values = (0..<shape.count).map { _ in Float.random(in: -3...3, using: &random) }
      var encoder = try TensorEncoder(elementType: type, chunkBytes: 8192)
      encoder.maximumMessageBytes = limit
      var assembler = ChunkAssembler(shape: shape)
      var outcome = ChunkAssembler.Outcome.late
      let largest = encoder.largestMessage(header)
      try values.withUnsafeBufferPointer {
        try encoder.encode(header, $0) { message in
          #expect(message.count <= limit, "seed \(seed)")
          #expect(message.count <= largest, "seed \(seed)")
          outcome = try feed(&assembler, message)
        }
      }
      #expect(outcome == .complete, "seed \(seed)")
    }
  }

  @Test(arguments: [ElementType.float32, .float16, .int8])
  func anyOrderWithDuplicatesAndLoss(type: ElementType) throws {
    for seed in UInt64(1)...60 {
      var random = SeededGenerator(seed: seed)
      let shape = Shape([Int.random(in: 1..<60, using: &random), 61])
      var assembler = ChunkAssembler(shape: shape)
      for frame in UInt64(1)...5 {
        var values = (0..<shape.count).map { _ in Float.random(in: -3...3, using: &random) }
        var parts = try messages(
          header(frame: frame, shape: shape), values, as: type, chunkBytes: 1024)
        let loses = parts.count > 1 && Int.random(in: 0..<3, using: &random) == 0
        if loses { parts.remove(at: Int.random(in: 0..<parts.count, using: &random)) }
        let unique = parts.count
        parts += (0..<3).compactMap { _ in parts.randomElement(using: &random) }
        var completed = 0
        var duplicates = 0
        for part in parts.shuffled(using: &random) {
          switch try feed(&assembler, part) {
          case .complete: completed += 1
          case .duplicate: duplicates += 1
          case .incomplete(let received, let all): #expect(received < all, "seed \(seed)")
          case .late, .rejected: Issue.record("seed \(seed), frame \(frame): refused")
          }
        }
        #expect(completed == (loses ? 0 : 1), "seed \(seed), frame \(frame)")
        #expect(duplicates == parts.count - unique, "seed \(seed), frame \(frame)")
        values.withUnsafeMutableBufferPointer { PackedElements.roundTrip($0, as: type) }
        let got = assembler.withElements { Array($0) }
        #expect(got == (loses ? nil : values), "seed \(seed), frame \(frame)")
      }
    }
  }

  @Test func newerFrameReplacesUnfinishedOlder() throws {
    let values = [Float](repeating: 1, count: 600)
    let old = try messages(header(frame: 1, shape: [600]), values, chunkBytes: 1024)
    let new = try messages(header(frame: 2, shape: [600]), values, chunkBytes: 1024)
    var assembler = ChunkAssembler(shape: [600])
    #expect(assembler.frame == nil && assembler.withElements { _ in } == nil)
    #expect(try feed(&assembler, old[0]) == .incomplete(received: 1, of: 3))
    #expect(try feed(&assembler, new[2]) == .incomplete(received: 1, of: 3))
    #expect(assembler.abandoned == 1 && assembler.frame == 2)
    #expect(try feed(&assembler, old[1]) == .late)
    #expect(try feed(&assembler, new[0]) == .incomplete(received: 2, of: 3))
    #expect(try feed(&assembler, new[0]) == .duplicate)
    #expect(try feed(&assembler, new[1]) == .complete)
    #expect(try feed(&assembler, new[1]) == .duplicate)
    #expect(assembler.isComplete)
  }

  /// Clients count on their own: one with a thousand frames behind it must not shut out a new one.
  @Test func otherClientsAndOlderFramesFollow() throws {
    let values = [Float](repeating: 1, count: 600)
    func parts(_ frame: UInt64, _ client: String) throws -> [[UInt8]] {
      var header = try header(frame: frame, shape: [600])
      header.client = client
      return try messages(header, values, chunkBytes: 1024)
    }
    var assembler = ChunkAssembler(shape: [600])
    for (frame, client) in [(1000, "one"), (1, "two"), (1001, "one"), (999, "one"), (2, "two")]
      as [(UInt64, String)]
    {
      let messages = try parts(frame, client)
      for message in messages.dropLast() {
        let outcome = try feed(&assembler, message)
        #expect(outcome != .late && outcome != .complete)
      }
      #expect(try feed(&assembler, messages[2]) == .complete)
    }
    // An unfinished part of another client gives way.
    _ = try feed(&assembler, try parts(1002, "one")[0])
    #expect(try feed(&assembler, try parts(3, "two")[0]) == .incomplete(received: 1, of: 3))
    #expect(assembler.abandoned == 1)
  }

  @Test func restartedDevice() throws {
    let values = [Float](repeating: 1, count: 600)
    var assembler = ChunkAssembler(shape: [600])
    let first = try messages(header(frame: 9, epoch: 5, shape: [600]), values, chunkBytes: 1024)
    let again = try messages(header(frame: 8, epoch: 6, shape: [600]), values, chunkBytes: 1024)
    #expect(try feed(&assembler, first[0]) == .incomplete(received: 1, of: 3))
    #expect(try feed(&assembler, again[0]) == .incomplete(received: 1, of: 3))
    // Which of them is the present one is not for the assembler to say: whatever came last counts.
    #expect(try feed(&assembler, first[1]) == .incomplete(received: 1, of: 3))
    #expect(assembler.frame == 9)
  }

  @Test func refusesWhatDoesNotFit() throws {
    let values = [Float](repeating: 1, count: 600)
    var assembler = ChunkAssembler(shape: [600])
    let other = try messages(header(shape: [20, 30]), values)
    #expect(try feed(&assembler, other[0]) == .rejected(.wrongShape))
    #expect(assembler.frame == nil)
    let parts = try messages(header(shape: [600]), values, chunkBytes: 1024)
    #expect(try feed(&assembler, parts[0]) == .incomplete(received: 1, of: 3))
    let otherCut = try messages(header(shape: [600]), values, chunkBytes: 2048)
    #expect(try feed(&assembler, otherCut[0]) == .rejected(.garbage))
    let otherPlan = try messages(header(plan: "p-2", shape: [600]), values, chunkBytes: 1024)
    #expect(try feed(&assembler, otherPlan[1]) == .rejected(.garbage))
    #expect(assembler.frame == 7 && !assembler.isComplete)
  }
}

@Suite struct PartValidatorTests {
  private let validator = PartValidator(
    plan: "p-1",
    parts: [
      .init(layer: "conv-1", device: "pi-1", shape: [2, 4], axis: 0, maximumExtent: 2),
      .init(layer: "conv-1", device: "pi-2", shape: [2, 4], axis: 0, maximumExtent: 2),
      .init(layer: "fc", device: "pi-1", shape: [8], axis: 0, maximumExtent: 8),
    ])

  @Test(
    arguments: [
      ("p-1", "conv-1", "pi-2", Shape([2, 4]), 10, nil),
      ("p-2", "conv-1", "pi-2", [2, 4], 10, .wrongPlan),
      ("p-1", "conv-1", "pi-2", [4, 2], 10, .wrongShape),
      ("p-1", "conv-1", "pi-2", [2, 4], 9, .staleEpoch),
      ("p-1", "conv-9", "pi-2", [2, 4], 10, .unknownLayer),
      ("p-1", "fc", "pi-2", [8], 10, .unknownLayer),
      ("p-1", "conv-1", "pi-9", [2, 4], 10, .unknownDevice),
      ("p-1", "conv-1", "pi-2", [2, 4], 11, nil),
    ] as [(String, String, String, Shape, UInt64, RejectReason?)])
  func table(
    plan: String, layer: String, device: String, shape: Shape, epoch: UInt64,
    reason: RejectReason?
  ) throws {
    let header = try header(epoch: epoch, plan: plan, layer: layer, device: device, shape: shape)
    let topic = Topic.activation(layer: layer, device: device)
    let answer = validator.check(header, on: topic) { _ in 10 }
    #expect(answer == (reason.map { .failure($0) } ?? .success(1)))
  }

  @Test func topicMustAgree() throws {
    let header = try header(shape: [2, 4])
    for topic in [
      Topic.activation(layer: "conv-1", device: "pi-1"), .activation(layer: "fc", device: "pi-2"),
    ] {
      #expect(validator.check(header, on: topic) { _ in nil } == .failure(.topicDisagrees))
    }
    #expect(validator.check(header, on: .plan) { _ in nil } == .failure(.unknownTopic))
  }
}
