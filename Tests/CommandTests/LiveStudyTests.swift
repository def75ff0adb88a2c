import Foundations
import JSONCoding
import LocalFleet
import Processes
import TensorFiles
import Testing

/// A line of `martlet run --json`.
private struct Answered: Decodable {
  struct Candidate: Decodable {
    var label: Int
    var confidence: Double
  }
  var image: String
  var top5: [Candidate]
}

extension CommandTests {
  /// What `martlet study` foretells and what worker processes answer when one of them was killed.
  @Test(arguments: [
    ["lop"], ["coded", "--tolerate", "1"], ["robustdice", "--importance", "s1", "--copies", "2"],
  ])
  func aStudySaysWhatWorkersAnswer(_ method: [String]) throws {
    try Workplace.with { place in
      let planned = try place.run(
        ["plan", "demo.onnx", "--devices", "4", "-o", "plan", "--method"] + method)
      try #require(planned.status == .exited(0), "\(planned.error)")
      let studied = try place.run(
        "study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--failures", "1",
        "--predictions", "p.tsv", seconds: 120)
      try #require(studied.status == .exited(0), "\(studied.error)")
      var foretold: [String: (label: Int, confidence: Double)] = [:]
      for line in try FileSystem.readText(place.path("p.tsv")).split(separator: "\n") {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard fields[1] == "d2", let label = Int(fields[4]), let confidence = Double(fields[5])
        else { continue }
        foretold[String(fields[2])] = (label, confidence)
      }
      try place.withWorkers(["--deadline", "5s", "--heartbeat", "200ms"]) { fleet, broker in
        func run(_ options: String...) throws -> Outcome {
          try place.run(
            [
              "run", "--broker", broker.socketAddress, "--plan", "plan", "--images", "digits.tar",
              "--deadline", "5s", "--json",
            ] + options, seconds: 120)
        }
        let whole = try run("--frames", "1")
        try #require(whole.status == .exited(0), "\(whole.error)")
        fleet.kill("d2")
        let outcome = try run("--frames", "60", "--wait-for", "3")
        try #require(outcome.status == .exited(0), "\(outcome.error)")
        var compared = 0
        for line in outcome.output.split(separator: "\n") {
          // The last line is the summary.
          guard let answer = try? JSON.decode(Answered.self, from: Array(line.utf8), source: "run")
          else { continue }
          let expected = try #require(foretold[answer.image])
          #expect(answer.top5[0].label == expected.label, "\(answer.image)")
          #expect(
            abs(answer.top5[0].confidence - expected.confidence) < 1e-4, "\(answer.image)")
          compared += 1
        }
        #expect(compared == 60)
      }
    }
  }
}
