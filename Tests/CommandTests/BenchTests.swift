import JSONCoding
import Processes
import TensorCore
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

  @Test(arguments: [
    ["bench", "deadline", "--timeouts", "fast"], ["bench", "deadline", "--frames", "1"],
    ["bench", "failures", "--rounds", "0"], ["demo", "--deadline", "soon"],
    ["demo", "--deadline", "adaptive:1s..30ms"], ["demo", "--replicas", "sometimes"],
  ])
  func optionsThatMakeNoSenseAreRefused(_ arguments: [String]) throws {
    try Workplace.with { place in
      let outcome = try place.run(arguments)
      #expect(outcome.status == .exited(64), "\(outcome.error)")
    }
  }
}

extension JSONValue {
  fileprivate var list: [JSONValue]? { if case .array(let values) = self { values } else { nil } }

  fileprivate var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}
