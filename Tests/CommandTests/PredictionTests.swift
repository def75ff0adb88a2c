import Foundations
import JSONCoding
import Plan
import Processes
import TensorFiles
import TestSupport
import Testing

/// `martlet plan` with links and profiles, and `martlet bench device`.
extension CommandTests {
  @Test func theBestMethodIsTakenAndTheOthersAreShown() throws {
    try Workplace.with { place in
      try DeviceProfile.plain(operations: 1e7).write(to: place.path("board.json"))
      let options = [
        "plan", "demo.onnx", "--devices", "3", "--method", "auto", "--link", "1gbit,100us",
        "d1=100mbit", "--broker-link", "1gbit", "--profiles", "board.json",
      ]
      let outcome = try place.run(options + ["-o", "plan", "--json"], seconds: 120)
      try #require(outcome.status == .exited(0), "\(outcome.error)")
      let report = try #require(outcome.json.first ?? nil)
      let prediction = try #require(report["prediction"])
      let candidates = try #require(prediction["candidates"]?.list)
      #expect(candidates.count >= 5)
      let latencies = candidates.compactMap { $0["latency_ms"]?.double }
      #expect(latencies.count == candidates.count && latencies.allSatisfy { $0 > 0 })
      for candidate in candidates {
        #expect(candidate["frames_per_s"]?.double ?? 0 > 0, "\(candidate)")
        #expect(candidate["broker_link_bytes"]?.double ?? 0 > 0, "\(candidate)")
        let devices = candidate["devices"]?.list ?? []
        #expect(devices.count == 3 && devices.allSatisfy { $0["memory_bytes"]?.double ?? 0 > 0 })
      }
      // The plan that was written is the fastest one.
      let folder = try PlanFolder(reading: place.path("plan"))
      let fastest = candidates.min {
        $0["latency_ms"]?.double ?? 0 < $1["latency_ms"]?.double ?? 0
      }
      guard case .string(let name)? = fastest?["method"] else {
        Issue.record("\(prediction)")
        return
      }
      #expect(Plan.methodName(of: name) == folder.plan.methodName)
      #expect(prediction["alone"]?["latency_ms"]?.double ?? 0 > 0)
      // A quarter of the links decides otherwise, and says so.
      let slow = try place.run(
        [
          "plan", "demo.onnx", "--devices", "3", "--method", "auto", "--link", "100kbit,20ms",
          "--profiles", "board.json", "-o", "slow",
        ], seconds: 120)
      #expect(slow.status == .exited(0), "\(slow.error)")
      #expect(slow.output.contains("best for latency: one device alone"), "\(slow.output)")
      #expect(slow.output.contains("not compared: budget"), "\(slow.output)")
    }
  }

  @Test func onePlanIsPredictedWhereThatIsAskedFor() throws {
    try Workplace.with { place in
      try DeviceProfile.plain().write(to: place.path("board.json"))
      let plain = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plain")
      #expect(plain.status == .exited(0) && !plain.output.contains("one device alone"))
      let outcome = try place.run(
        "plan", "demo.onnx", "--devices", "2", "--method", "lop", "--goal", "throughput",
        "--profiles", "board.json", "-o", "plan")
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      #expect(outcome.output.contains("one device alone"))
      #expect(outcome.output.contains("best for throughput: "))
    }
  }

  @Test func nonsenseAboutLinksAndProfilesIsRefused() throws {
    try Workplace.with { place in
      try DeviceProfile.plain().write(to: place.path("d0.json"))
      try DeviceProfile.plain().write(to: place.path("d7.json"))
      let text = try FileSystem.readText(place.path("d0.json"))
      let version = try #require(text.firstRange(of: #""version": 1"#), "\(text)")
      try place.write(
        Array((text[..<version.lowerBound] + #""version": 9"# + text[version.upperBound...]).utf8),
        to: "newer.json")
      for (options, parts) in [
        (["--link", "fast"], ["'fast' is no speed of a link", "50mbit,2ms"]),
        (["--link", "d0="], ["no speed of a link"]),
        (["--broker-link", "50"], ["no speed of a link"]),
        (["--link", "attic=1mbit", "--profiles", "d0.json"], ["'attic'", "d0, d1"]),
        (["--profiles", "d0.json", "d7.json"], ["'d7'", "d0.json, d1.json"]),
        (["--profiles", "newer.json"], ["newer.json", "martlet bench device"]),
        (["--profiles", "demo.json"], ["demo.json", "martlet bench device"]),
        (["--profiles", "none.json"], ["none.json"]),
        (["--method", "auto", "--tolerate", "1"], ["--tolerate goes with one method"]),
        (["--goal", "beauty"], ["beauty"]),
      ] {
        let outcome = try place.run(
          ["plan", "demo.onnx", "--devices", "2", "-o", "plan"] + options)
        #expect(outcome.status != .exited(0), "\(options)")
        for part in parts { #expect(outcome.error.contains(part), "\(outcome.error)") }
        #expect(!FileSystem.exists(place.path("plan")))
      }
    }
  }

  @Test func aDeviceIsMeasuredAndPlannedFor() throws {
    try Workplace.with { place in
      let outcome = try place.run(
        "bench", "device", "--length", "1ms", "--no-messages", "--out", "d0.json", "--json",
        seconds: 120)
      try #require(outcome.status == .exited(0), "\(outcome.error)")
      let report = try #require(outcome.json.first ?? nil)
      #expect(report["kernels"]?.list?.count ?? 0 > 30)
      let profile = try DeviceProfile.read(place.path("d0.json"))
      #expect(!profile.hasMeasuredMessages && profile.machine.kernels.hasPrefix("OpenBLAS"))
      let again = try place.run("bench", "device", "--out", "d0.json")
      #expect(again.status == .exited(64) && again.error.contains("--force"))
      let planned = try place.run(
        "plan", "demo.onnx", "--devices", "2", "--profiles", "d0.json", "-o", "plan")
      #expect(planned.status == .exited(0), "\(planned.error)")
    }
  }

  @Test func aWorkerDoesNotPublishTheProfileOfAnotherMachine() throws {
    try Workplace.with { place in
      try DeviceProfile.plain().write(to: place.path("d0.json"))
      let planned = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plan")
      #expect(planned.status == .exited(0), "\(planned.error)")
      let outcome = try place.run(
        "worker", "--broker", "127.0.0.1:1", "--plan", "plan", "--device", "d0", "--profile",
        "d0.json", "--patience", "1s")
      #expect(outcome.status != .exited(0))
      for part in ["another machine", "plain", "martlet bench device"] {
        #expect(outcome.error.contains(part), "\(outcome.error)")
      }
    }
  }
}
