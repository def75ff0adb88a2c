import Foundations
import Glibc
import JSONCoding
import Processes
import Recording
import TensorFiles
import TestSupport
import Testing

/// Runs `mosquitto_pub` for every line of a text.
private func publish(_ broker: EmbeddedBroker, topic: String, lines: [String]) throws {
  let input = try TemporaryFolder()
  let file = input.path + "/lines"
  try FileSystem.write(Array(lines.joined(separator: "\n").utf8), to: file)
  let child = try ChildProcess(
    .init(
      executable: "/bin/sh",
      arguments: [
        "-c",
        "mosquitto_pub -p \(broker.port) -t '\(topic)' -q 1 -l < '\(file)'",
      ]))
  #expect(child.wait(timeout: .seconds(30)) == .exited(0))
}

/// Waits until a command says on standard error that it listens.
private func waitForWord(_ word: String, of name: String, in workplace: Workplace) throws -> Bool {
  let end = ContinuousClock.now + .seconds(20)
  while ContinuousClock.now < end {
    let text = (try? FileSystem.readText(workplace.path(name + ".err"))) ?? ""
    if text.contains(word) { return true }
    usleep(20_000)
  }
  return false
}

@Suite(.serialized) struct RecordCommandTests {
  @Test func whatIsRecordedIsReplayedAsItWas() throws {
    try Workplace.with { workplace in
      try withEmbeddedBroker { broker in
        let recorder = try workplace.start(
          [
            "record", "--broker", broker.socketAddress, "-o", "a.rec", "--frames", "200", "--json",
          ], name: "a")
        defer { recorder.stop(patience: .zero) }
        try #require(try waitForWord("recording", of: "a", in: workplace))
        try publish(broker, topic: "martlet/1/other/result/c1", lines: ["elsewhere"])
        try publish(broker, topic: "martlet/1/default/metric/d0/frame", lines: ["{}"])
        try publish(
          broker, topic: "martlet/1/default/result/c1", lines: (0..<200).map { "{\"n\":\($0)}" })
        let outcome = try workplace.outcome(recorder.wait(timeout: .seconds(20)), name: "a")
        #expect(outcome.status == .exited(0), "\(outcome.error)")
        #expect(outcome.json.first??["messages"] == .integer(201), "\(outcome.output)")
        #expect(outcome.json.first??["dropped"] == .integer(0))

        let second = try workplace.start(
          [
            "record", "--broker", broker.socketAddress, "--deployment", "replay", "-o", "b.rec",
            "--frames", "200",
          ], name: "b")
        defer { second.stop(patience: .zero) }
        try #require(try waitForWord("recording", of: "b", in: workplace))
        let replay = try workplace.run(
          "replay", "a.rec", "--broker", broker.socketAddress, "--speed", "max")
        #expect(replay.status == .exited(0), "\(replay.error)")
        #expect(replay.output.contains("201 messages"))
        let again = try workplace.outcome(second.wait(timeout: .seconds(20)), name: "b")
        #expect(again.status == .exited(0) && again.output.contains("201 messages"))
      }
    }
  }

  /// As plans of whole frames and of row strips send them.
  @Test func inputsForSingleDevicesKeepTheirTopics() throws {
    func messages(_ path: String) throws -> [String] {
      var reader = try RecordReader(path)
      var result: [String] = []
      while let message = try reader.next() {
        let levels = message.topic.split(separator: "/", maxSplits: 3)
        result.append("\(levels[3]) \(String(decoding: message.payload, as: UTF8.self))")
      }
      return result
    }
    try Workplace.with { workplace in
      try withEmbeddedBroker { broker in
        func record(_ name: String, deployment: String, while body: () throws -> Void) throws {
          let recorder = try workplace.start(
            [
              "record", "--broker", broker.socketAddress, "--deployment", deployment, "-o",
              name + ".rec", "--frames", "1",
            ], name: name)
          defer { recorder.stop(patience: .zero) }
          try #require(try waitForWord("recording", of: name, in: workplace))
          try body()
          let outcome = try workplace.outcome(recorder.wait(timeout: .seconds(20)), name: name)
          #expect(outcome.status == .exited(0), "\(outcome.error)")
        }
        try record("a", deployment: "default") {
          for (topic, text) in [
            ("input/c1/d0", "rows 0 to 3"), ("input/c1/d1", "rows 2 to 5"),
            ("input/c1", "all rows"), ("result/c1", "{}"),
          ] {
            try publish(broker, topic: "martlet/1/default/" + topic, lines: [text])
          }
        }
        let recorded = try messages(workplace.path("a.rec"))
        #expect(
          recorded == [
            "input/c1/d0 rows 0 to 3", "input/c1/d1 rows 2 to 5", "input/c1 all rows",
            "result/c1 {}",
          ])
        try record("b", deployment: "replay") {
          let replay = try workplace.run(
            "replay", "a.rec", "--broker", broker.socketAddress, "--speed", "max")
          #expect(replay.status == .exited(0), "\(replay.error)")
          #expect(replay.output.contains("4 messages"))
        }
        #expect(try messages(workplace.path("b.rec")) == recorded)
      }
    }
  }

  @Test func aFileThatMayNotGrowStopsTheRecordingAndStaysReadable() throws {
    try Workplace.with { workplace in
      try withEmbeddedBroker { broker in
        let recorder = try ChildProcess(
          .init(
            executable: "/bin/bash",
            arguments: [
              "-c",
              "ulimit -f 40; exec '\(try martletExecutable())' record --no-compression"
                + " --broker \(broker.socketAddress) -o full.rec",
            ], folder: workplace.folder, standardOutput: .file(workplace.path("full.out")),
            standardError: .file(workplace.path("full.err"))))
        defer { recorder.stop(patience: .zero) }
        try #require(try waitForWord("recording", of: "full", in: workplace))
        let line = String(repeating: "x", count: 1000)
        var status = recorder.wait(timeout: .zero)
        for _ in 0..<40 where status == nil {
          try publish(
            broker, topic: "martlet/1/default/result/c1", lines: Array(repeating: line, count: 30))
          status = recorder.wait(timeout: .milliseconds(400))
        }
        let outcome = try workplace.outcome(status, name: "full")
        #expect(status == .exited(75), "\(outcome.error)")
        #expect(outcome.error.contains("stays readable"))
        let replay = try workplace.run(
          "replay", "full.rec", "--broker", broker.socketAddress, "--speed", "max")
        #expect(replay.status == .exited(0))
        #expect(!replay.error.contains("damaged") && !replay.error.contains("not written"))
      }
    }
  }

  @Test func whatIsNoRecordingIsRefused() throws {
    try Workplace.with { workplace in
      try workplace.write(Array("hello, this is text".utf8), to: "notes.txt")
      let record = try workplace.run(
        "record", "--broker", "unix:/nonexistent", "-o", "notes.txt", "--patience", "1s")
      #expect(record.status == .exited(65), "\(record.error)")
      #expect(try workplace.read("notes.txt").count == 19)
      let new = try workplace.run(
        "record", "--broker", "unix:/nonexistent", "-o", "new.rec", "--patience", "1s")
      #expect(new.status == .exited(69), "\(new.error)")
      #expect(!FileSystem.exists(workplace.path("new.rec")))
      let replay = try workplace.run("replay", "none.rec", "--broker", "unix:/nonexistent")
      #expect(replay.status == .exited(66), "\(replay.error)")
      let usage = try workplace.run("record", "--broker", "x", "-o", "a", "--keep", "1")
      #expect(usage.status == .exited(64))
    }
  }
}
