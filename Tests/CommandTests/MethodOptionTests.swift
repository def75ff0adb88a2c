import JSONCoding
import Processes
import TensorFiles
import Testing

extension CommandTests {
  @Test func methodsAreListedForScripts() throws {
    try Workplace.with { place in
      let outcome = try place.run("methods", "--devices", "4", "--budgets", "1.5,2", "--json")
      try #require(outcome.status == .exited(0), "\(outcome.error)")
      guard case .array(let methods)? = (try #require(outcome.json.first ?? nil))["methods"] else {
        Issue.record("\(outcome.output)")
        return
      }
      let help = try place.run("plan", "--help").output
      for method in methods {
        guard case .string(let name)? = method["name"],
          case .array(let options)? = method["options"]
        else {
          Issue.record("\(outcome.output)")
          return
        }
        #expect(help.contains("\n  \(name) "), "\(name) is not in the help of plan")
        for case .string(let option)? in options.map({ $0["name"] }) {
          #expect(help.contains("--\(option) <"), "--\(option) is not in the help of plan")
        }
      }
      for part in ["\"coded, tolerates 2\"", "\"robustdice at 1.5\"", "\"scores\""] {
        #expect(outcome.output.contains(part), "\(part)")
      }
      let text = try place.run("methods")
      #expect(
        text.output.contains("--tolerate <count>  how many devices may be lost. (default: 1)"))
    }
  }

  @Test func optionsOfMethodsAreParsedLikeOthers() throws {
    try Workplace.with { place in
      func plan(_ options: String...) throws -> Outcome {
        try place.run(["plan", "demo.onnx", "--devices", "3", "-o", "plan"] + options)
      }
      for (options, parts) in [
        (["--method", "coded", "--tolerate", "x"], ["--tolerate", "whole number", "'x'"]),
        (["--method", "coded", "--tolerate"], ["Missing value for '--tolerate <count>'"]),
        (["--method", "coded", "--tolerat", "1"], ["--tolerat", "--tolerate"]),
        (["--method", "magic"], ["magic", "interleaved"]),
        (["--method", "lop", "--deal", "balanced"], ["--deal is for --method robustdice"]),
        (["--method", "lop", "--calibration", "digits.tar"], ["--calibration is for"]),
      ] {
        let outcome = try place.run(
          ["plan", "demo.onnx", "--devices", "3", "-o", "plan"] + options)
        #expect(outcome.status == .exited(64), "\(options): \(outcome.error)")
        for part in parts { #expect(outcome.error.contains(part), "\(outcome.error)") }
        #expect(!FileSystem.exists(place.path("plan")))
      }
      let joined = try plan("--method=coded", "--tolerate=2")
      #expect(joined.status == .exited(0), "\(joined.error)")
      #expect(joined.output.contains("coded, tolerates 2"))
    }
  }

  @Test func groupsBeginWhereTheyAreSaidToBegin() throws {
    try Workplace.with { place in
      var ids: Set<String> = []
      for deal in ["literal", "paper", "balanced"] {
        let outcome = try place.run(
          "plan", "demo.onnx", "--devices", "3", "-o", deal, "--method", "robustdice",
          "--importance", "s1", "--threshold", "0.2", "--deal", deal, "--json")
        try #require(outcome.status == .exited(0), "\(outcome.error)")
        let report = try #require(outcome.json.first ?? nil)
        guard case .string(let id)? = report["plan"], case .string(let method)? = report["method"]
        else {
          Issue.record("\(outcome.output)")
          return
        }
        ids.insert(id)
        #expect(deal == "literal" || method.hasSuffix(", \(deal)"))
      }
      #expect(ids.count == 3)
    }
  }

  @Test func fleetsTakeAnyMethodThatWorksAlone() throws {
    try Workplace.with { place in
      for command in [["bench", "failures"], ["bench", "chaos"]] {
        let outcome = try place.run(command + ["--method", "budget"])
        #expect(outcome.status == .exited(64), "\(outcome.error)")
        for part in ["budget", "coded", "lop"] {
          #expect(outcome.error.contains(part), "\(outcome.error)")
        }
      }
    }
  }
}
