import Foundations
import Glibc
import JSONCoding
import Logging
import MQTT
import Processes
import TensorFiles
import Tensors
import TestSupport
import Testing
import WireProtocol

/// `martlet inspect` against a real broker.
extension CommandTests {
  private static let root = "martlet/1/default/"

  private func publisher(_ broker: EmbeddedBroker) throws -> MQTTClient {
    let client = try MQTTClient(
      MQTTConfiguration(
        address: try BrokerAddress(parsing: broker.socketAddress), clientIDPrefix: "publisher"),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try client.connect(timeout: .seconds(10))
    return client
  }

  private func tensor(
    _ shape: Shape, frame: UInt64 = 3, chunkBytes: Int = TensorEncoder.defaultChunkBytes
  ) throws -> [[UInt8]] {
    let header = try TensorHeader(
      frame: frame, stage: 1, epoch: 5, plan: "p-1", client: "cam", layer: "conv-1", device: "d0",
      shape: shape)
    var encoder = try TensorEncoder(elementType: .float32, chunkBytes: chunkBytes)
    var messages: [[UInt8]] = []
    (0..<shape.count).map(Float.init).withUnsafeBufferPointer { values in
      encoder.encode(header, values) { messages.append($0) }
    }
    return messages
  }

  /// Publishes until the command has ended; what it came to.
  private func whilePublishing(
    _ messages: [MQTTMessage], to broker: EmbeddedBroker, _ place: Workplace,
    _ arguments: [String]
  ) throws -> Outcome {
    let client = try publisher(broker)
    defer { client.close() }
    let child = try place.start(["inspect", "--broker", broker.socketAddress] + arguments)
    defer { child.stop(patience: .zero) }
    let end = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < end {
      for message in messages { try client.publish(message) }
      if let status = child.wait(timeout: .milliseconds(50)) { return try place.outcome(status) }
    }
    return try place.outcome(nil)
  }

  @Test func inspectShowsEveryKindOfMessage() throws {
    try Workplace.with { place in
      try withEmbeddedBroker { broker in
        let client = try publisher(broker)
        defer { client.close() }
        let presence = Presence(
          state: .ready, epoch: 5, heartbeatMilliseconds: 500, version: "1")
        let payloads: [(String, [UInt8])] = [
          ("presence/d0", try presence.payload()), ("act/conv-1/d0", try tensor([2, 3])[0]),
          ("heartbeat/d0", Array(#"{"epoch":0}"#.utf8)), ("input/cam", [0xff, 0x00, 0x1B]),
          ("act/conv-1/d1", try tensor([2, 3])[0].dropLast()),
        ]
        for (topic, payload) in payloads {
          try client.publish(
            MQTTMessage(
              topic: Self.root + topic, payload: payload, quality: .atLeastOnce, retain: true))
        }
        try client.flush(timeout: .seconds(10))
        let count = ["--count", "\(payloads.count)", "--for", "20s"]
        let json = try place.run(["inspect", "--broker", broker.socketAddress, "--json"] + count)
        #expect(json.status == .exited(0), "\(json.error)")
        func record(_ topic: String) -> JSONValue? {
          json.json.compactMap { $0 }.first { $0["topic"] == .string(Self.root + topic) }
        }
        #expect(json.json.count == payloads.count)
        #expect(record("presence/d0")?["json"]?["state"] == .string("ready"))
        #expect(record("presence/d0")?["retained"] == .bool(true))
        let part = record("act/conv-1/d0")?["tensor"]
        #expect(part?["shape"] == .array([.integer(2), .integer(3)]))
        #expect(part?["mean"] == .number(2.5) && part?["plan"] == .string("p-1"))
        #expect(record("act/conv-1/d0")?["flaw"] == nil)
        #expect(record("input/cam")?["hex"] == .string("ff001b"))
        for topic in ["heartbeat/d0", "input/cam", "act/conv-1/d1"] {
          #expect(record(topic)?["flaw"] != nil, "\(topic)")
        }

        let text = try place.run(["inspect", "--broker", broker.socketAddress] + count)
        #expect(text.status == .exited(0), "\(text.error)")
        #expect(text.output.split(separator: "\n").count == payloads.count)
        #expect(text.output.contains("  act/conv-1/d0  retained  "))
        #expect(text.output.contains("frame 3 stage 1  2x3 F32  min 0 mean 2.5000 max 5.0000"))
        #expect(!text.output.contains("\u{1B}"), "no colours in a file")
      }
    }
  }

  @Test func inspectSavesWholeTensors() throws {
    try Workplace.with { place in
      try withEmbeddedBroker { broker in
        let messages = try tensor([2, 700], chunkBytes: 1024).map {
          MQTTMessage(topic: Self.root + "act/conv-1/d0", payload: $0)
        }
        #expect(messages.count == 6)
        let want = Tensor([2, 700], (0..<1400).map(Float.init))
        let saved = try whilePublishing(
          messages, to: broker, place, ["act/+/d0", "--save", "parts", "--once"])
        #expect(saved.status == .exited(0), "\(saved.error)")
        let path = place.path("parts/act.conv-1.d0.cam.frame-3")
        #expect(saved.output.hasPrefix("parts/act.conv-1.d0.cam.frame-3.safetensors  2x700  "))
        let file = try SafetensorsFile(path + ".safetensors")
        #expect(try file.tensor("tensor") == want)
        #expect(file.header.metadata["frame"] == "3" && file.header.metadata["wire"] == "F32")

        let array = try whilePublishing(
          messages, to: broker, place, ["--save", "parts", "--once", "--format", "npy", "--json"])
        #expect(array.status == .exited(0), "\(array.error)")
        #expect(array.json.first??["file"] == .string("parts/act.conv-1.d0.cam.frame-3.npy"))
        #expect(try NumpyFile.read(path + ".npy") == want)
        // The same tensor again is another file's place.
        let again = ["--save", "parts", "--once", "--format", "npy"]
        let refused = try whilePublishing(messages, to: broker, place, again)
        #expect(refused.status == .exited(64) && refused.error.contains("--force"))
        let forced = try whilePublishing(messages, to: broker, place, again + ["--force"])
        #expect(forced.status == .exited(0), "\(forced.error)")
        // Nothing half written beside them.
        #expect(try FileSystem.list(place.path("parts")).count == 2)

        let blocked = try place.run(
          "inspect", "--broker", broker.socketAddress, "--save", "demo.onnx/parts")
        #expect(blocked.status == .exited(74), "\(blocked.error)")
      }
    }
  }

  @Test func inspectSumsUpByTopic() throws {
    try Workplace.with { place in
      try withEmbeddedBroker { broker in
        let messages = [
          MQTTMessage(topic: Self.root + "a", payload: [1, 2, 3]),
          MQTTMessage(topic: Self.root + "b", payload: [1], retain: true),
        ]
        let outcome = try whilePublishing(
          messages, to: broker, place, ["--stats", "--for", "2s", "--json"])
        #expect(outcome.status == .exited(0), "\(outcome.error)")
        let report = try #require(outcome.json.first ?? nil)
        guard case .array(let topics) = report["topics"], topics.count == 2,
          case .integer(let count) = topics[0]["messages"]
        else {
          Issue.record("\(outcome.output)")
          return
        }
        #expect(topics[0]["topic"] == .string("a") && count > 2)
        #expect(topics[0]["bytes"] == .integer(3 * count))
        #expect(topics[0]["retained"] == .bool(false))
        #expect(topics[1]["retained"] == .bool(true))
      }
    }
  }

  @Test func inspectEndsAsItSays() throws {
    try Workplace.with { place in
      try withEmbeddedBroker { broker in
        let address = ["inspect", "--broker", broker.socketAddress]
        let nothing = try place.run(address + ["--once", "--for", "300ms"])
        #expect(nothing.status == .exited(75) && nothing.error.contains("came: 0"))
        let silent = try place.run(address + ["--for", "300ms"])
        #expect(silent.status == .exited(0) && silent.output.isEmpty && silent.error.isEmpty)
        for bad in [["--once", "--count", "2"], ["--count", "0"], ["--stats", "--once"]] {
          #expect(try place.run(address + bad).status == .exited(64))
        }
        #expect(try place.run(address + ["a/#/b"]).status == .exited(64))
        let absent = try place.run("inspect", "--broker", "unix:/nowhere", "--patience", "200ms")
        #expect(absent.status == .exited(69))
      }
    }
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aStoppedInspectionEndsWell(_ signal: Int32) throws {
    try Workplace.with { place in
      try withEmbeddedBroker { broker in
        let client = try publisher(broker)
        defer { client.close() }
        try client.publish(
          MQTTMessage(topic: Self.root + "x", text: "here", quality: .atLeastOnce, retain: true))
        try client.flush(timeout: .seconds(10))
        let child = try place.start(["inspect", "--broker", broker.socketAddress])
        defer { child.stop(patience: .zero) }
        let end = ContinuousClock.now + .seconds(20)
        while try !place.outcome(nil).output.contains("here") {
          let isRunning = child.wait(timeout: .milliseconds(20)) == nil
          try #require(isRunning && ContinuousClock.now < end)
        }
        child.signal(signal)
        #expect(child.wait(timeout: .seconds(10)) == .exited(0))
      }
    }
  }

  /// A reader that does not read costs lines, which are counted, and neither memory nor the broker.
  @Test func aSlowReaderCostsLinesOnly() throws {
    try Workplace.with { place in
      try withEmbeddedBroker { broker in
        let client = try publisher(broker)
        defer { client.close() }
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let child = try ChildProcess(
          .init(
            executable: try martletExecutable(),
            arguments: ["inspect", "--broker", broker.socketAddress, "x"], folder: place.folder,
            standardOutput: .descriptor(ends[1]), standardError: .file(place.path("run.err"))))
        defer { child.stop(patience: .zero) }
        close(ends[1])
        defer { close(ends[0]) }
        // The first line says that it listens.
        var first: UInt8 = 0
        try client.publish(
          MQTTMessage(topic: "x", text: "first", quality: .atLeastOnce, retain: true))
        try #require(read(ends[0], &first, 1) == 1)
        let payload = [UInt8](repeating: 0xff, count: 10_000)
        let count = 12_000
        for _ in 0..<count { try publishPatiently(client, payload) }
        try client.flush(timeout: .seconds(30))
        // Now the reader catches up, until it is told that something was left out.
        var lines = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let end = ContinuousClock.now + .seconds(30)
        var error = ""
        while !error.contains("messages left out"), ContinuousClock.now < end {
          var descriptor = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
          if poll(&descriptor, 1, 100) > 0 {
            let got = read(ends[0], &buffer, buffer.count)
            lines += buffer[..<max(0, got)].count { $0 == UInt8(ascii: "\n") }
          }
          error = try FileSystem.readText(place.path("run.err"))
        }
        let peak = try ProcessReading(of: child.processID).peakResidentBytes
        child.signal(SIGTERM)
        #expect(child.wait(timeout: .seconds(20)) == .exited(0))
        #expect(error.contains("messages left out"), "\(error)")
        #expect(lines < count)
        #expect(peak < 200 << 20, "\(peak)")
      }
    }
  }

  /// Waits for room in the client's budget.
  private func publishPatiently(_ client: MQTTClient, _ payload: [UInt8]) throws {
    while true {
      do {
        return try client.publish(MQTTMessage(topic: "x", payload: payload))
      } catch {
        guard error.code == .resourceExhausted else { throw error }
        try client.flush(timeout: .seconds(30))
      }
    }
  }

  @Test func aReaderThatGoesAwayEndsIt() throws {
    try Workplace.with { place in
      try withEmbeddedBroker { broker in
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let child = try ChildProcess(
          .init(
            executable: try martletExecutable(),
            arguments: ["inspect", "--broker", broker.socketAddress],
            standardOutput: .descriptor(ends[1]), standardError: .file(place.path("run.err"))))
        defer { child.stop(patience: .zero) }
        close(ends[1])
        close(ends[0])
        let client = try publisher(broker)
        defer { client.close() }
        try client.publish(MQTTMessage(topic: Self.root + "x", text: "x", retain: true))
        #expect(child.wait(timeout: .seconds(20)) == .exited(141))
        #expect(try FileSystem.readText(place.path("run.err")).isEmpty)
      }
    }
  }
}
