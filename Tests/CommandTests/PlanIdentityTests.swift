import JSONCoding
import Processes
import Testing

extension CommandTests {
  /// Plans are named by what is in them: a method that changes what it does changes the ids of all
  /// plans in use. `budget` measures, so its choice also rests on how this processor rounds.
  @Test(arguments: [
    (["lop"], "e14d0087824af86c"), (["interleaved"], "4254687f8a8f1516"),
    (["cdc"], "84cb30edb282dfc6"), (["coded"], "4788ca1120afb712"),
    (["replicate"], "19e3e926980ddc6e"),
    (["robustdice", "--importance", "s1"], "1ba9156ca185978e"),
    (["vertical"], "05cab722ba250995"),
    (
      [
        "budget", "--copies", "1.5", "--survive", "2", "--calibration", "digits.tar",
        "--calibration-limit", "8",
      ], "e8b1c58c334eceb7"
    ),
  ])
  func aMethodMakesThePlanThatItAlwaysMade(_ method: [String], _ id: String) throws {
    try Workplace.with { place in
      let outcome = try place.run(
        ["plan", "demo.onnx", "--devices", "4", "-o", "plan", "--json", "--method"] + method,
        seconds: 120)
      try #require(outcome.status == .exited(0), "\(outcome.error)")
      #expect((try #require(outcome.json.first ?? nil))["plan"] == .string(id))
    }
  }
}
