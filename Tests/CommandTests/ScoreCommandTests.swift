import JSONCoding
import Processes
import TensorFiles
import Testing

/// `martlet score` as people use it, on the bundled model.
@Suite(.serialized) struct ScoreCommandTests {
  private func run(_ place: Workplace, _ arguments: [String]) throws -> Outcome {
    let child = try place.start(arguments)
    return try place.outcome(child.wait(timeout: .seconds(60)))
  }

  private func score(
    _ place: Workplace, _ arguments: String..., images: String = "digits.tar"
  ) throws -> Outcome {
    try run(
      place,
      ["score", "demo.onnx", "--calibration", images, "-o", "scores.json"] + arguments)
  }

  @Test func scoresAreWrittenAndReused() throws {
    try Workplace.with { place in
      let first = try score(place, "--s2-images", "8", "--s3-images", "2", "--json")
      #expect(first.status == .exited(0), "\(first.error)")
      #expect(first.json.count == 1 && first.json[0] != nil)
      let bytes = try place.read("scores.json")
      // Everything is there: the second run computes nothing and changes nothing.
      let second = try score(place, "--s2-images", "8", "--s3-images", "2")
      #expect(second.status == .exited(0), "\(second.error)")
      #expect(try place.read("scores.json") == bytes)
      // Other images would be other scores.
      let third = try score(place, "--s2-images", "8", "--s3-images", "3")
      #expect(third.status == .exited(65), "\(third.error)")
      #expect(third.error.contains("other calibration images"), "\(third.error)")
      #expect(third.error.contains("scores.json"), "\(third.error)")
      #expect(try place.read("scores.json") == bytes)
      let fourth = try score(place, "--s2-images", "8", "--s3-images", "3", "--restart")
      #expect(fourth.status == .exited(0), "\(fourth.error)")
      #expect(try place.read("scores.json") != bytes)
    }
  }

  @Test func weightsAloneNeedNoImages() throws {
    try Workplace.with { place in
      let outcome = try place.run(
        "score", "demo.onnx", "--s2-images", "0", "--s3-images", "0", "-o", "scores.json")
      #expect(outcome.status == .exited(0), "\(outcome.error)")
      // What was left out is added to the same file.
      let more = try score(place, "--s2-images", "1", "--s3-images", "1")
      #expect(more.status == .exited(0), "\(more.error)")
    }
  }

  @Test func badInputIsNamed() throws {
    try Workplace.with { place in
      let missing = try score(place, images: "nowhere")
      #expect(missing.status == .exited(66), "\(missing.error)")
      #expect(missing.error.contains("nowhere"))
      try FileSystem.createFolder(place.path("empty"))
      let empty = try score(place, images: "empty")
      #expect(empty.status == .exited(66), "\(empty.error)")
      try place.write(Array("{}".utf8), to: "scores.json")
      let other = try score(place, "--s3-images", "1")
      #expect(other.status == .exited(65), "\(other.error)")
      #expect(other.error.contains("scores.json"))
      #expect(try place.read("scores.json") == Array("{}".utf8))
      for arguments in [["--s2-images", "-1"], ["--threads", "0"]] {
        let wrong = try run(
          place,
          ["score", "demo.onnx", "--calibration", "digits.tar", "-o", "x.json"] + arguments)
        #expect(wrong.status == .exited(64), "\(wrong.error)")
      }
    }
  }
}
