import Foundations
import Glibc
import Imaging
import JSONCoding
import ModelCards
import Processes
import TensorFiles
import Testing

/// Commands that read images, given folders as people have them.
@Suite(.serialized) struct ImageCommandTests {
  /// Sorts some of the digits 5 to 9 into folders named after them, of which one is a link.
  private func sortDigits(_ place: Workplace, each: Int = 8) throws {
    let set = try ImageSet.open(
      paths: [place.path("digits.tar")], labelling: .classes(nil, outputs: 10))
    var counts: [Int: Int] = [:]
    for index in 0..<set.count {
      guard let label = set.label(index), label >= 5, counts[label, default: 0] < each else {
        continue
      }
      counts[label, default: 0] += 1
      let folder = label == 7 ? "elsewhere" : "sorted/\(label)"
      try FileSystem.createFolder(place.path(folder))
      try place.write(try set.bytes(index), to: "\(folder)/\(counts[label, default: 0]).png")
    }
    #expect(symlink("../elsewhere", place.path("sorted/7")) == 0)
    // To calibrate with: other files than those that are sorted, with a byte behind the image.
    try FileSystem.createFolder(place.path("others"))
    for index in 0..<8 { try place.write(try set.bytes(index) + [0], to: "others/\(index).png") }
    #expect(counts.values.reduce(0, +) == 5 * each)
  }

  private func number(_ value: JSONValue?) -> Double? {
    switch value {
    case .number(let number): number
    case .integer(let number): Double(number)
    default: nil
    }
  }

  @Test func foldersOfSomeClassesAreJudgedRightly() throws {
    try Workplace.with { place in
      try sortDigits(place)
      let plan = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plan")
      try #require(plan.status == .exited(0), "\(plan.error)")
      let infer = try place.run("infer", "demo.onnx", "--images", "sorted", "--json")
      #expect(infer.status == .exited(0), "\(infer.error)")
      #expect(infer.json.last??["labelled"] == .integer(40))
      #expect(try #require(number(infer.json.last??["accuracy"])) > 0.9)
      let run = try place.run(
        "run", "--in-process", "--plan", "plan", "--images", "sorted", "--json")
      #expect(run.status == .exited(0), "\(run.error)")
      #expect(run.json.last??["correct"] == infer.json.last??["correct"])
      let study = try place.run(
        "study", "plan", "--model", "demo.onnx", "--images", "sorted", "--json", "--no-save",
        seconds: 120)
      #expect(study.status == .exited(0), "\(study.error)")
      guard case .array(let plans)? = study.json.last??["plans"],
        case .array(let sets)? = plans.first?["sets"]
      else { return #expect(Bool(false), "\(study.output)") }
      #expect(sets.first?["correct"] == infer.json.last??["correct"])

      // Without the card nobody knows what the folders are called, but their names are numbers.
      try FileSystem.remove(place.path("demo.json"))
      try place.write(
        Array(
          #"{"channels":1,"resizeExact":[28,28],"mean":[0.1307],"deviation":[0.3081],"#.utf8)
          + Array(#""scale":0.00392156862745098,"interpolation":"bilinear"}"#.utf8), to: "p.json")
      let numbers = try place.run(
        "infer", "demo.onnx", "--images", "sorted", "--preprocessing", "p.json", "--json")
      #expect(numbers.status == .exited(0), "\(numbers.error)")
      #expect(numbers.json.last??["correct"] == infer.json.last??["correct"])
    }
  }

  @Test func foldersThatAreNoClassAreErrors() throws {
    try Workplace.with { place in
      try sortDigits(place, each: 1)
      let plan = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plan")
      try #require(plan.status == .exited(0), "\(plan.error)")
      try FileSystem.createFolder(place.path("sorted/ten"))
      try place.write(try place.read("sorted/5/1.png"), to: "sorted/ten/1.png")
      try place.write(
        Array((0..<10).map { "digit \($0)" }.joined(separator: "\n").utf8), to: "names")
      try place.write(Array("a\nb\n".utf8), to: "two")
      let images = ["--images", "sorted"]
      let explore = [
        "explore", "demo.onnx", "--devices", "2", "--calibration", "others",
        "--calibration-limit", "4",
      ]
      for arguments in [
        ["infer", "demo.onnx"], ["run", "--in-process", "--plan", "plan"],
        ["study", "plan", "--model", "demo.onnx"], explore,
      ] {
        let outcome = try place.run(arguments + images)
        #expect(outcome.status == .exited(65), "\(outcome.error)")
        for part in ["folder: ten", "known: 0, 1, 2", "--labels"] {
          #expect(outcome.error.contains(part), "\(part) is not in \(outcome.error)")
        }
      }
      let score = try place.run(
        "score", "demo.onnx", "--calibration", "sorted", "--s3-images", "0", "-o", "s.json")
      #expect(score.status == .exited(65) && score.error.contains("folder: ten"), "\(score.error)")
      // Other names, and names that do not fit.
      let named = try place.run(["infer", "demo.onnx", "--labels", "names"] + images)
      #expect(named.error.contains("known: digit 0"), "\(named.error)")
      for arguments in [
        ["infer", "demo.onnx"], ["study", "plan", "--model", "demo.onnx"], explore,
        ["plan", "demo.onnx", "--devices", "2", "-o", "other"],
      ] {
        let outcome = try place.run(
          arguments + ["--labels", "two"] + (arguments[0] == "plan" ? [] : images))
        #expect(outcome.status == .exited(65), "\(outcome.error)")
        #expect(outcome.error.contains("2 class names for 10 outputs"), "\(outcome.error)")
      }
    }
  }

  /// A truncated one, an empty one, one that has vanished, one of another format, and one that nobody
  /// may read do not hinder the others.
  @Test func imagesThatCannotBeReadAreCounted() throws {
    try Workplace.with { place in
      try sortDigits(place)
      let plan = try place.run("plan", "demo.onnx", "--devices", "2", "-o", "plan")
      try #require(plan.status == .exited(0), "\(plan.error)")
      let whole = try place.read("sorted/5/1.png")
      try place.write(Array(whole.prefix(whole.count / 2)), to: "sorted/5/truncated.png")
      try place.write([], to: "sorted/6/empty.jpg")
      #expect(symlink("nowhere", place.path("sorted/8/vanished.png")) == 0)
      try place.write(Array("GIF89a....".utf8), to: "sorted/9/other.gif")
      let common = ["--json", "--images", "sorted"]
      for arguments in [
        ["infer", "demo.onnx"], ["run", "--in-process", "--plan", "plan"],
        ["study", "plan", "--model", "demo.onnx", "--no-save"],
        [
          "explore", "demo.onnx", "--devices", "2", "--calibration", "others", "--limit", "44",
          "--calibration-limit", "4", "--budgets", "1,2",
        ],
      ] {
        let outcome = try place.run(arguments + common, seconds: 120)
        let command = arguments[0]
        #expect(outcome.status == .exited(1), "\(command): \(outcome.error)")
        #expect(
          outcome.json.last??["unreadable_images"] == .integer(4), "\(command): \(outcome.output)")
        let count = outcome.json.last??[command == "run" ? "frames" : "images"]
        #expect(count == .integer(40), "\(command)")
        for part in [
          "truncated.png: an image cannot", "empty.jpg: ", "vanished.png: ",
          "other.gif: a GIF image",
        ] {
          #expect(outcome.error.contains(part), "\(command): \(part) is not in \(outcome.error)")
        }
        #expect(outcome.error.split(separator: "\n").count == 4, "\(command): \(outcome.error)")
      }
      let text = try place.run("infer", "demo.onnx", "--images", "sorted")
      #expect(text.output.contains("40 labelled images), 4 images could not be read"))

      // What calibrates is counted as well, and the work is done.
      for arguments in [
        ["score", "demo.onnx", "--s2-images", "44", "--s3-images", "0", "-o", "s.json"],
        ["plan", "demo.onnx", "--devices", "2", "--fill", "mean", "-o", "means"],
      ] {
        let outcome = try place.run(
          arguments + ["--json", "--calibration", "sorted"], seconds: 120)
        #expect(outcome.status == .exited(1), "\(outcome.error)")
        #expect(outcome.json.last??["unreadable_images"] == .integer(4), "\(outcome.output)")
        #expect(FileSystem.exists(place.path(arguments.last ?? "")))
      }
      try place.write([], to: "alone.png")
      let none = try place.run(
        "plan", "demo.onnx", "--devices", "2", "--fill", "mean", "-o", "x", "--calibration",
        "alone.png")
      #expect(none.status == .exited(65) && none.error.contains("none of the 1 images"))
    }
  }
}
