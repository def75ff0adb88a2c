import Foundations
import JSONCoding
import Processes
import TensorFiles
import Testing

extension CommandTests {
  @Test func theCostOfFailuresIsMeasured() throws {
    try Workplace.with { place in
      let outcome = try place.run(
        "bench", "failures", "--devices", "3", "--frames", "20", "--rounds", "1", "--stall",
        "500ms",
        "--json", seconds: 120)
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      let report = try #require(outcome.json.first ?? nil)
      #expect(report["rates"]?.list?.count == 3)
      #expect(report["stalls"]?.list?.count == 2)
      for key in [
        "slowest_frame_of_death_ms", "slowest_frame_of_freeze_ms", "ready_to_first_use_ms",
      ] {
        #expect(report[key]?.list?.count == 1, "\(key)")
      }
    }
  }

  @Test func momentsOfStandingStillAreMeasured() throws {
    try Workplace.with { place in
      let outcome = try place.run(
        "bench", "stalls", "--devices", "3", "--frames", "20", "--in-flight", "1,4", "--at-least",
        "2s", "--pause", "400ms", "--seed", "3", "--json", seconds: 120)
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      let report = try #require(outcome.json.first ?? nil)
      let rows = try #require(report["rows"]?.list)
      #expect(rows.count == 2)
      for row in rows {
        #expect(row["wrong"]?.double == 0 && row["degraded"]?.double == 0)
        #expect(row["answers"]?.double ?? 0 >= 20 && row["stalls"]?.double ?? 0 >= 3)
      }
    }
  }

  @Test func theFigureOnTimeoutsIsDrawn() throws {
    try Workplace.with { place in
      let outcome = try place.run(
        "bench", "deadline", "--devices", "3", "--frames", "10", "--timeouts", "1ms,20ms", "--svg",
        "f.svg", "--json", seconds: 120)
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      let report = try #require(outcome.json.first ?? nil)
      let rows = try #require(report["timeouts"]?.list)
      let means = rows.compactMap { $0["latency_mean_ms"]?.double }
      #expect(means.count == 2)
      // Seven exchanges between the devices, and the client's, wait 20 ms each.
      #expect(means.last ?? 0 > 155, "\(means)")
      #expect(report["adaptive"]?["latency_mean_ms"]?.double ?? .infinity < means.last ?? 0)
      #expect(try FileSystem.readText(place.path("f.svg")).hasPrefix("<svg"))
    }
  }

  /// The workers go to the broker that is named, in a deployment of their own.
  @Test func framesAreTimedThroughABrokerThatIsThere() throws {
    try Workplace.with { place in
      try withEmbeddedBroker { broker in
        let plan = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plan")
        #expect(plan.status == .exited(0), "\(plan.error)")
        try place.write(Self.noise, to: "input.npy")
        let outcome = try place.run(
          "bench", "frames", "--plan", "plan", "--tensor", "input.npy", "--seconds", "0.5",
          "--broker", broker.networkAddress, "--json", seconds: 120)
        #expect(outcome.status == .exited(0), "\(outcome.error)")
        let report = try #require(outcome.json.first ?? nil)
        #expect(report["frames"]?.double ?? 0 > 0)
        #expect(report["broker_cpu_ms"] == nil)
        // Two workers and the client were there, on the port that was named.
        #expect(broker.log.matches(of: /New client connected .* as (d0|d1|client)-/).count == 3)
      }
    }
  }

  /// One frame of the bundled model, as a NumPy file.
  private static var noise: [UInt8] {
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 28, 28), }"
    header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8)
      + (0..<784).flatMap { [0, 0, 0, $0 % 2 == 0 ? 0x3F : 0] }
  }

  @Test(arguments: [
    ["bench", "frames", "--plan", "plan", "--tensor", "t.npy", "--users", "users"],
    ["bench", "frames", "--plan", "plan", "--tensor", "t.npy", "--username", "d0"],
    ["bench", "deadline", "--timeouts", "fast"], ["bench", "deadline", "--frames", "1"],
    ["bench", "failures", "--rounds", "0"], ["demo", "--deadline", "soon"],
    ["demo", "--deadline", "adaptive:1s..30ms"], ["demo", "--deadline", "consequence:2s..1s"],
    ["bench", "stalls", "--in-flight", "0,4"], ["bench", "stalls", "--shortest", "1s"],
    ["demo", "--replicas", "sometimes"],
  ])
  func optionsThatMakeNoSenseAreRefused(_ arguments: [String]) throws {
    try Workplace.with { place in
      let outcome = try place.run(arguments)
      #expect(outcome.status == .exited(64), "\(outcome.error)")
    }
  }
}

extension JSONValue {
  var list: [JSONValue]? { if case .array(let values) = self { values } else { nil } }

  var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}
