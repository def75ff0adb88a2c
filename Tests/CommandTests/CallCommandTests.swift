import Foundations
import JSONCoding
import Processes
import TensorFiles
import Testing

/// `martlet call` and `martlet devices` against workers.
@Suite(.serialized) struct CallCommandTests {
  /// Runs `body` with a broker and the workers `d0` and `d1`; its last argument are the options that
  /// every command needs.
  private func with(_ body: (Workplace, [String]) throws -> Void) throws {
    try Workplace.with { place in
      let plan = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plan")
      try #require(plan.status == .exited(0), "\(plan.error)")
      try place.withWorkers { _, broker in
        let options = ["--broker", broker.socketAddress]
        for device in ["d0", "d1"] {
          let ready = try place.run(
            ["call", "health/check", device, "--deadline", "20s", "--resend-after", "100ms"]
              + options)
          try #require(ready.status == .exited(0), "\(ready.error)")
        }
        try body(place, options)
      }
    }
  }

  @Test func resultsGoToOutputAndStatusesBecomeExitStatuses() throws {
    try with { place, options in
      func call(_ arguments: String...) throws -> Outcome {
        try place.run(["call"] + arguments + options)
      }
      let health = try call("health/check", "d0")
      #expect(health.json.count == 1 && health.json[0]?["status"] == .string("SERVING"))
      let stats = try call(
        "device/stats", "d1", #"{"count":3,"every_ms":20}"#, "--json", "--metadata", "a=b=c")
      #expect(stats.json.count == 3)
      #expect(
        stats.json.allSatisfy {
          $0?["from"] == .string("d1") && $0?["body"]?["device"] == .string("d1")
        })
      for (arguments, status, name) in [
        (["device/none", "d0"], Int32(65), "UNIMPLEMENTED (12)"),
        (["device/stats", "d0", "[]"], 64, "INVALID_ARGUMENT (3)"),
        (["device/fault", "d0", #"{"kind":"exit"}"#], 77, "PERMISSION_DENIED (7)"),
        (["health/check", "d0", #"{"service":"x"}"#], 66, "NOT_FOUND (5)"),
        (["health/check", "d9", "--deadline", "100ms"], 75, "DEADLINE_EXCEEDED (4)"),
        (["health/check", "d0", "--file", "demo.json"], 64, "INVALID_ARGUMENT (3)"),
        (["health/check", "d0", "--file", "digits.tar"], 75, "RESOURCE_EXHAUSTED (8)"),
      ] {
        let outcome = try place.run(["call"] + arguments + options)
        #expect(outcome.status == .exited(status), "\(outcome.error)")
        #expect(outcome.error.contains(name) && outcome.output.isEmpty, "\(outcome.error)")
      }
    }
  }

  @Test func devicesAreListed() throws {
    try with { place, options in
      let table = try place.run(["devices"] + options)
      #expect(table.status == .exited(0))
      let lines = table.output.split(separator: "\n")
      #expect(lines.count == 3 && lines[0].hasPrefix("device"), "\(table.output)")
      #expect(lines.dropFirst().allSatisfy { $0.contains("alive") }, "\(table.output)")
      let json = try place.run(["devices", "--json"] + options).json
      guard json.count == 1, case .array(let rows)?? = json.first.map({ $0?["devices"] }) else {
        Issue.record("\(json)")
        return
      }
      #expect(rows.map { $0["device"] } == [.string("d0"), .string("d1")])
      #expect(rows.allSatisfy { $0["state"] == .string("alive") && $0["beat_age_ms"] != nil })
    }
  }

  @Test func watchingGoesOnUntilInterrupted() throws {
    try with { place, options in
      let child = try place.start(["devices", "--watch", "--json"] + options, name: "watch")
      let end = ContinuousClock.now + .seconds(20)
      var lines = 0
      while lines < 2, ContinuousClock.now < end {
        _ = child.wait(timeout: .milliseconds(100))
        lines = try place.outcome(nil, name: "watch").json.count
      }
      #expect(lines >= 2)
      #expect(child.stop(patience: .seconds(10)) == .exited(0))
    }
  }

  @Test func anEmptyDeploymentIsSaidToBeEmpty() throws {
    try Workplace.with { place in
      try withEmbeddedBroker { broker in
        let outcome = try place.run(
          "devices", "--broker", broker.socketAddress, "--deployment", "other", "--wait", "100ms")
        #expect(outcome.status == .exited(0) && outcome.error.contains("nobody is there"))
      }
    }
  }
}
