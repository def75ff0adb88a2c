import Foundations
import ModelGraph
import Plan
import Tensors
import Testing
import WireProtocol

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func text(_ message: some WireMessage) throws -> String {
  String(decoding: try message.payload(), as: UTF8.self)
}

@Suite struct MessageTests {
  @Test func presence() throws {
    let presence = Presence(state: .ready, epoch: 17, heartbeatMilliseconds: 500, version: "0.1")
    #expect(
      try text(presence) == #"{"state":"ready","epoch":17,"heartbeat_ms":500,"version":"0.1"}"#)
    #expect(try Presence(payload: presence.payload(), source: "t") == presence)
    #expect(presence.with(.lost).state == .lost && presence.with(.lost).epoch == 17)
  }

  @Test func unknownFieldsAreIgnored() throws {
    let payload = bytes(
      #"{"later":[1,{"x":null}],"state":"lost","epoch":1,"heartbeat_ms":10,"version":""}"#)
    #expect(try Presence(payload: payload, source: "t").state == .lost)
  }

  @Test(arguments: [
    "", "{", "null", "[]", "\u{0}", #"{"state":"ready"}"#,
    #"{"state":"flying","epoch":1,"heartbeat_ms":500,"version":""}"#,
    #"{"state":"ready","epoch":-1,"heartbeat_ms":500,"version":""}"#,
    #"{"state":"ready","epoch":0,"heartbeat_ms":500,"version":""}"#,
    #"{"state":"ready","epoch":1.5,"heartbeat_ms":500,"version":""}"#,
    #"{"state":"ready","epoch":99999999999999999,"heartbeat_ms":500,"version":""}"#,
    #"{"state":"ready","epoch":1,"heartbeat_ms":0,"version":""}"#,
    #"{"state":"ready","epoch":1,"heartbeat_ms":9000000,"version":""}"#,
    #"{"state":"ready","epoch":1,"heartbeat_ms":500,"version":5}"#,
  ])
  func refusesBadPresence(payload: String) {
    #expect(throws: MartletError.self) { try Presence(payload: bytes(payload), source: "t") }
  }

  @Test func boundsSize() {
    let long = String(repeating: " ", count: 5000)
    let payload = #"{"state":"ready","epoch":1,"heartbeat_ms":500,"version":""}"# + long
    #expect {
      try Presence(payload: bytes(payload), source: "here")
    } throws: { error in
      guard let error = error as? MartletError else { return false }
      return error.code == .resourceExhausted && error.description.contains("here")
    }
  }

  @Test func heartbeat() throws {
    let beat = Heartbeat(epoch: 9, sequence: 3, frame: 12, queue: 1, residentBytes: 50_000_000)
    #expect(
      try text(beat) == #"{"epoch":9,"seq":3,"frame":12,"queue":1,"rss_bytes":50000000}"#)
    #expect(try Heartbeat(payload: beat.payload(), source: "t") == beat)
    #expect(beat.sent.isEmpty)
  }

  @Test func aHeartbeatSaysWhatWasSent() throws {
    let marks = [
      SentMark(FrameKey(client: "cam", frame: 12), stage: 2),
      SentMark(FrameKey(client: "eye", frame: 7), stage: SentMark.end),
    ]
    let beat = Heartbeat(
      epoch: 9, sequence: 3, frame: 12, queue: 1, residentBytes: 5, sent: marks)
    #expect(try text(beat).hasSuffix(#","sent":["cam:12:2","eye:7:1048576"]}"#))
    #expect(try Heartbeat(payload: beat.payload(), source: "t").sent == marks)
    // With the longest names it fits as well; more frames than that are refused, and other texts.
    let longest = (0..<Heartbeat.sentFrames).map { number in
      SentMark(
        FrameKey(client: String(repeating: "x", count: 32), frame: Epoch.maximum - UInt64(number)),
        stage: SentMark.end)
    }
    let full = Heartbeat(
      epoch: 9, sequence: 3, frame: 12, queue: 1, residentBytes: 5, sent: longest)
    #expect(try Heartbeat(payload: full.payload(), source: "t").sent == longest)
    let more = Heartbeat(
      epoch: 9, sequence: 3, frame: 12, queue: 1, residentBytes: 5, sent: longest + marks)
    #expect(throws: MartletError.self) { try more.payload() }
    let wrong = try text(beat).replacing("cam:12:2", with: "cam:12")
    #expect(throws: MartletError.self) { try Heartbeat(payload: Array(wrong.utf8), source: "t") }
  }

  @Test func description() throws {
    let description = DeviceDescription(
      version: "0.1", methods: ["health/check"], plan: "p-1",
      parts: [.init(layer: "conv-1", neurons: 16)],
      hardware: .init(architecture: "aarch64", cores: 4, memoryBytes: 1 << 30, system: "Debian 12"))
    #expect(try DeviceDescription(payload: description.payload(), source: "t") == description)
    // Older workers do not say with which kernels they compute.
    #expect(!(try text(description)).contains("kernels"))
    var telling = description
    telling.hardware.kernels = "OpenBLAS 0.3.21 neoversen1"
    #expect(try text(telling).contains(#""kernels":"OpenBLAS 0.3.21 neoversen1""#))
    #expect(try DeviceDescription(payload: telling.payload(), source: "t") == telling)
    var bad = description
    bad.parts[0].layer = "Conv 1"
    #expect(throws: MartletError.self) { try bad.payload() }
  }

  @Test func aDescriptionMayHaveAProfile() throws {
    var description = DeviceDescription(
      version: "0.1", methods: [], plan: "p-1", parts: [],
      hardware: .init(architecture: "aarch64", cores: 4, memoryBytes: 1 << 30, system: "Debian 12"))
    #expect(!(try text(description)).contains("profile"))
    let handling = DeviceProfile.Handling(message: 1e-5, byte: 1.0 / 3 * 1e-9)
    let profile = DeviceProfile(
      machine: .init(processor: "Cortex-A72", kernels: "OpenBLAS"), threads: 1, share: 1,
      kernelOverhead: 1e-7,
      rates: KernelKind.allCases.map { .init($0, operations: 1e9 / 7, bytes: nil) },
      messages: .init(endpoint: handling, broker: handling, delay: 2e-5))
    description.profile = PublishedProfile(profile)
    let read = try DeviceDescription(payload: description.payload(), source: "t")
    #expect(read == description && read.profile?.profile == profile)
    // One that this program cannot use does not make the rest unreadable.
    for (old, new) in [
      (#""version":1,"#, #""version":2,"#), (#""share":1.0"#, #""share":7.0"#),
      (#""kernel":"dense""#, #""kernel":"quantum""#),
    ] {
      let message = try text(description)
      let range = try #require(message.firstRange(of: old), "\(message)")
      let changed = message[..<range.lowerBound] + new + message[range.upperBound...]
      let other = try DeviceDescription(payload: Array(changed.utf8), source: "t")
      #expect(other.version == "0.1" && other.profile?.profile == nil)
    }
  }

  @Test func planAnnouncement() throws {
    let digest = String(repeating: "0a", count: 32)
    let plan = PlanAnnouncement(plan: "p-1", epoch: 2, shards: ["pi-1": digest, "pi-2": digest])
    #expect(try PlanAnnouncement(payload: plan.payload(), source: "t") == plan)
    let bad = PlanAnnouncement(plan: "p-1", epoch: 2, shards: ["pi-1": "xyz"])
    #expect(throws: MartletError.self) { try bad.payload() }
  }

  @Test func frameResult() throws {
    let result = FrameResult(
      frame: 5, label: 3, labelName: "cat",
      top5: [
        .init(label: 3, labelName: "cat", confidence: 0.75), .init(label: 1, confidence: 0.25),
      ],
      confidence: 0.75, latencyMilliseconds: 12.5,
      degraded: [.init(layer: "conv-1", device: "pi-1", reason: .suspect)], filledNeurons: 16)
    #expect(try FrameResult(payload: result.payload(), source: "t") == result)
    let written = try text(result)
    for name in ["label_name", "top5", "latency_ms", "degraded", "filled_neurons", "\"suspect\""] {
      #expect(written.contains(name))
    }
    var bad = result
    bad.confidence = .nan
    #expect(throws: MartletError.self) { try bad.payload() }
  }

  @Test func frameResultOfTheFirstVersionIsStillRead() throws {
    let old = """
      {"epoch":5,"seq":2,"frame":7,"label":3,"label_name":"cat","top5":[{"label":3,"label_name":"cat",\
      "confidence":0.75}],"confidence":0.75,"latency_ms":12.5,"degraded":[{"layer":"a","device":"b",\
      "reason":"lost","filled_by":["client"]}],"guessed":false,"present":["d0"],"filled_neurons":4,\
      "expected":3,"plan":"0123456789abcdef","alive":["d0","b"]}
      """
    let result = try FrameResult(payload: Array(old.utf8), source: "t")
    #expect(result.schemaVersion == nil && result.status == nil && result.task == nil)
    #expect(result.label == 3 && result.labelName == "cat" && result.confidence == 0.75)
    #expect(result.truth == 3 && result.isRight == true)
    #expect(
      result.degraded == [.init(layer: "a", device: "b", reason: .lost, filledBy: ["client"])])
    #expect(result.alive == ["d0", "b"] && result.sequence == 2 && result.epoch == 5)
  }

  @Test func frameResultSaysWhatItKnowsAndWhatItIs() throws {
    var result = FrameResult(
      frame: 5, label: 3, labelName: "cat", top5: [.init(label: 3, confidence: 0.75)],
      confidence: 0.75, latencyMilliseconds: 12.5)
    result.requestID = "42"
    result.time = WallClock.rfc3339(unixMilliseconds: 1_772_366_400_250)
    result.image = "photos/cat.jpg"
    result.task = "classification"
    (result.truth, result.truthName) = (1, "dog")
    #expect(result.isRight == false)
    for field in [
      #""schema_version":2"#, #""status":"answered""#, #""request_id":"42""#,
      #""time":"2026-03-01T12:00:00.250Z""#, #""image":"photos/cat.jpg""#, #""truth":1"#,
      #""truth_name":"dog""#, #""task":"classification""#, #""label":3"#,
    ] {
      #expect(try text(result).contains(field), "\(field)")
    }
    #expect(try FrameResult(payload: result.payload(), source: "t") == result)
    result.task = "multilabel"
    #expect(result.isRight == nil)

    var raw = FrameResult(
      frame: 1, label: nil, top5: [], confidence: nil, latencyMilliseconds: 1)
    let values: [Float] = [1, 2, .nan]
    raw.outputs = [
      .init(
        name: "heat", shape: [1, 3],
        statistics: values.withUnsafeBufferPointer { TensorStatistics($0) })
    ]
    #expect(try FrameResult(payload: raw.payload(), source: "t") == raw)
    #expect(try text(raw).contains(#""min":1"#) && text(raw).contains(#""not_finite":1"#))
    #expect(try !text(raw).contains("label\""))
  }

  @Test func decodingSurvivesNoise() throws {
    let seed: UInt64 = 5
    var random = SeededGenerator(seed: seed)
    let original = try FrameResult(
      frame: 5, label: 3, top5: [.init(label: 3, confidence: 0.5)], confidence: 0.5,
      latencyMilliseconds: 1, degraded: [.init(layer: "a", device: "b", reason: .lost)]
    ).payload()
    var accepted = 0
    for _ in 0..<5000 {
      var payload = original
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        mutate(&payload, using: &random)
      }
      if let result = try? FrameResult(payload: payload, source: "t") {
        accepted += 1
        #expect(result.confidence.map((0...1).contains) ?? true, "seed \(seed)")
      }
    }
    #expect(accepted > 0 && accepted < 5000, "seed \(seed): the mutations test nothing")
  }
}

/// Changes, removes, inserts or repeats a byte, or cuts the end off.
func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
  guard !bytes.isEmpty else { return }
  let place = Int.random(in: 0..<bytes.count, using: &random)
  switch Int.random(in: 0..<6, using: &random) {
  case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
  case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
  case 2: bytes.remove(at: place)
  case 3: bytes.insert(UInt8.random(in: 32...126, using: &random), at: place)
  case 4: bytes.insert(bytes[place], at: place)
  default: bytes.removeLast(min(bytes.count, Int.random(in: 1...8, using: &random)))
  }
}
