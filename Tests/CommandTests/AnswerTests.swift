import Foundations
import Glibc
import JSONCoding
import Processes
import TensorFiles
import Testing

extension CommandTests {
  private func plan(_ place: Workplace, _ options: String...) throws {
    let outcome = try place.run(
      ["plan", "demo.onnx", "--devices", "4", "--method", "lop", "-o", "plan"] + options)
    try #require(outcome.status == .exited(0), "\(outcome.error)")
  }

  /// Writes a task into the card of the bundled model.
  private func set(task: String, in place: Workplace) throws {
    try #require(try place.replace("{", with: #"{"task": "\#(task)", "#, in: "demo.json"))
  }

  private func inProcess(_ place: Workplace, _ options: String...) throws -> Outcome {
    try place.run(
      ["run", "--in-process", "--plan", "plan", "--images", "digits.tar", "--frames", "20"]
        + options)
  }

  private func number(_ value: JSONValue?) -> Double? {
    switch value {
    case .number(let number)?: number
    case .integer(let number)?: Double(number)
    default: nil
    }
  }

  /// The labels that a line of multilabel answers lists.
  private func labels(_ line: JSONValue??) throws -> [JSONValue?] {
    guard case .array(let labels)? = line??["labels"] else { return [] }
    try #require(!labels.isEmpty)
    return labels.map { $0["label"] }
  }

  @Test func inferAndRunSayTheSameInTheSameForm() throws {
    try Workplace.with { place in
      try plan(place)
      let infer = try place.run("infer", "demo.onnx", "--images", "digits.tar", "--json")
      let run = try inProcess(place, "--json")
      try #require(infer.status == .exited(0) && run.status == .exited(0), "\(run.error)")
      try #require(run.json.count == 21)
      var wrong = 0
      for (one, other) in zip(infer.json, run.json.dropLast()) {
        for key in ["label", "label_name", "truth", "truth_name", "image", "task", "frame"] {
          #expect(one?[key] == other?[key], "\(key)")
        }
        for line in [one, other] {
          #expect(line?["schema_version"] == .integer(2))
          #expect(line?["status"] == .string("answered"))
          #expect(line?["task"] == .string("classification"))
          guard case .string(let time)? = line?["time"],
            case .string(let id)? = line?["request_id"],
            case .string? = line?["image"]
          else {
            Issue.record("time, request_id or image is missing")
            return
          }
          #expect(time.count == 24 && time.hasSuffix("Z") && !id.isEmpty, "\(time)")
          #expect(line?["expected"] == nil && line?["name"] == nil)
          let confidence = try #require(number(line?["confidence"]))
          #expect((0...1).contains(confidence))
          guard case .array(let top)? = line?["top5"] else { continue }
          #expect(top.first?["label"] == line?["label"] && top.first?["name"] == nil)
        }
        if one?["label"] != one?["truth"] { wrong += 1 }
      }
      // `label` is the model's answer and `truth` is not: the totals say so.
      #expect(run.json.last??["correct"] == .integer(Int64(20 - wrong)))
    }
  }

  @Test func anAnswerSaysHowReliableItIsAndIsRefusedBelowTheMinimum() throws {
    try Workplace.with { place in
      try plan(place)
      // Nobody has studied the plan.
      let unknown = try inProcess(place, "--without", "d1")
      #expect(unknown.status == .exited(0), "\(unknown.error)")
      #expect(
        unknown.output.contains("not known how reliable without d1 lost: run martlet study"),
        "\(unknown.output)")
      #expect(unknown.output.contains(" neurons missing"), "\(unknown.output)")
      let missing = try inProcess(place, "--without", "d1", "--json")
      #expect(missing.json.last??["degraded_frames"] == .integer(20), "\(missing.output)")
      guard case .array(let parts)? = missing.json.first??["degraded"], !parts.isEmpty else {
        Issue.record("nothing is said to be missing: \(missing.output)")
        return
      }
      for part in parts {
        #expect(part["device"] == .string("d1") && part["reason"] == .string("lost"), "\(part)")
      }
      let impossible = try inProcess(place, "--min-expected", "0.5")
      #expect(impossible.status == .exited(66) && impossible.error.contains("martlet study"))

      let study = try place.run(
        "study", "plan", "--model", "demo.onnx", "--images", "digits.tar", "--failures", "2",
        "--json", seconds: 120)
      try #require(study.status == .exited(0), "\(study.error)")
      let whole = try inProcess(place, "--min-expected", "0.9")
      #expect(whole.status == .exited(0), "\(whole.error)")
      #expect(!whole.output.contains("reliable") && !whole.output.contains("refused"))
      let less = try inProcess(place, "--without", "d0,d1")
      #expect(less.status == .exited(0) && less.output.contains("UNRELIABLE without d0 lost, d1"))
      #expect(less.output.contains("of such answers are right"))

      let refused = try inProcess(place, "--without", "d0,d1", "--min-expected", "0.9", "--json")
      #expect(refused.status == .exited(1), "\(refused.error)")
      #expect(refused.json.last??["refused"] == .integer(20))
      #expect(refused.json.last??["labelled"] == .integer(0))
      for line in refused.json.dropLast() {
        #expect(line?["status"] == .string("refused") && line?["label"] == nil)
        #expect(line?["top5"] == .array([]) && line?["reliable"] == .bool(false))
        guard case .string(let why)? = line?["refusal"] else {
          Issue.record("there is no reason")
          return
        }
        #expect(why.contains("d0") && why.contains("d1") && why.contains("90.0 %"), "\(why)")
      }
      let text = try inProcess(place, "--without", "d0,d1", "--min-expected", "0.9")
      #expect(text.status == .exited(1) && text.output.contains("20 refused"))
      #expect(text.output.contains(": refused: the expected accuracy is"))
      #expect(try inProcess(place, "--min-expected", "0.9999").status == .exited(64))
      #expect(try inProcess(place, "--min-expected", "1.5").status == .exited(64))
      #expect(try inProcess(place, "--retry").status == .exited(64))
    }
  }

  @Test func labelsThatAreEachRightOrWrongHaveNoAccuracy() throws {
    try Workplace.with { place in
      try set(task: "multilabel", in: place)
      try plan(place)
      let run = try inProcess(place, "--json")
      #expect(run.status == .exited(0), "\(run.error)")
      for line in run.json.dropLast() {
        #expect(line?["task"] == .string("multilabel") && line?["truth"] != nil)
        guard case .array(let labels)? = line?["labels"], case .array(let top)? = line?["top5"]
        else {
          Issue.record("there are no labels")
          return
        }
        for label in labels { #expect(try #require(number(label["confidence"])) >= 0.5) }
        // Each is a sigmoid of its own, so that they need not add up to one.
        #expect(labels.count <= 10 && top.count == 5)
      }
      #expect(run.json.last??["labelled"] == .integer(0))
      #expect(run.json.last??["unjudged"] == .string("multilabel"))
      let infer = try place.run("infer", "demo.onnx", "--images", "digits.tar", "--json")
      #expect(infer.json.first??["task"] == .string("multilabel"))
      // Devices add up in another order: the last digits differ.
      #expect(try labels(infer.json.first) == labels(run.json.first))
      #expect(infer.json.last??["labelled"] == .integer(0))
      let study = try place.run(
        "study", "plan", "--model", "demo.onnx", "--images", "digits.tar")
      #expect(study.status == .exited(65) && study.error.contains("multilabel"), "\(study.error)")
      #expect(!FileSystem.exists(place.path("plan/study.json")))
    }
  }

  @Test func outputsThatNameNoClassAreSummarised() throws {
    try Workplace.with { place in
      try set(task: "raw", in: place)
      try plan(place)
      let run = try inProcess(place, "--json")
      #expect(run.status == .exited(0), "\(run.error)")
      for line in run.json.dropLast() {
        #expect(line?["label"] == nil && line?["confidence"] == nil)
        guard case .array(let outputs)? = line?["outputs"] else {
          Issue.record("there are no outputs")
          return
        }
        #expect(outputs.count == 1 && outputs[0]["shape"] == .array([.integer(1), .integer(10)]))
        let (low, mean, high) = (
          number(outputs[0]["min"]), number(outputs[0]["mean"]), number(outputs[0]["max"])
        )
        #expect(try #require(low) < #require(mean) && #require(mean) < #require(high))
      }
      let text = try inProcess(place)
      #expect(text.output.contains(" 1x10: min ") && !text.output.contains("%,"), "\(text.output)")
      let infer = try place.run("infer", "demo.onnx", "--images", "digits.tar")
      #expect(infer.output.contains(" 1x10: min ") && !infer.output.contains("%"))
    }
  }

  @Test func tasksThatDoNotFitAreRefused() throws {
    try Workplace.with { place in
      try set(task: "binary", in: place)
      let binary = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plan")
      #expect(binary.status == .exited(65) && binary.error.contains("binary"), "\(binary.error)")
      #expect(!FileSystem.exists(place.path("plan")))
      try #require(try place.replace("binary", with: "guessing", in: "demo.json"))
      let infer = try place.run("infer", "demo.onnx", "--images", "digits.tar")
      #expect(infer.status == .exited(64) && infer.error.contains("multilabel"), "\(infer.error)")
    }
  }

  @Test func devicesCannotHaveNamesThatMeanSomethingElse() throws {
    try Workplace.with { place in
      for name in ["gateway", "client", "means"] {
        let outcome = try place.run("plan", "demo.onnx", "--names", "a,\(name)", "-o", "plan")
        #expect(outcome.status == .exited(64) && outcome.error.contains(name), "\(outcome.error)")
        #expect(!FileSystem.exists(place.path("plan")))
      }
    }
  }
}
