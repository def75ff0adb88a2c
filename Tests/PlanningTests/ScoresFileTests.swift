import Foundations
import Planning
import TensorFiles
import Tensors
import Testing

@Suite struct ScoresFileTests {
  private let scores = ImportanceScores(
    model: "abc", s3Calibration: .init(images: 2, sha256: "images"),
    layers: [.init(name: "a", s1: [1, 2], s3: [0.5]), .init(name: "b", s1: [3])])

  private func withFile(_ body: (String) throws -> Void) throws {
    let path = "/tmp/martlet-scores-\(UInt64.random(in: 0...UInt64.max)).json"
    defer { try? FileSystem.remove(path) }
    try body(path)
  }

  private func images(_ count: Int, _ digest: String) -> CalibrationImages {
    CalibrationImages(count: count, sha256: digest) { _ in Tensor([1], [0] as [Float]) }
  }

  @Test func `scores survive the file`() throws {
    try withFile { path in
      try ScoresFile.write(scores, to: path)
      #expect(try ScoresFile.read(path) == scores)
    }
  }

  @Test func `only the same model and images go on`() throws {
    let fresh = ImportanceScores(
      model: "abc", layers: [.init(name: "a", s1: [1, 2]), .init(name: "b", s1: [3])])
    try scores.requireFit(fresh, s2: images(64, "more"), s3: images(2, "images"))
    try scores.requireFit(fresh, s2: nil, s3: nil)
    let bits = #expect(throws: MartletError.self) {
      try scores.requireFit(
        fresh, s2: nil, s3: images(2, "images"), choices: ScoringChoices(unit: .bits))
    }
    #expect(bits?.description.contains("bits") == true)
    for other in [images(2, "others"), images(3, "images")] {
      let error = #expect(throws: MartletError.self) {
        try scores.requireFit(fresh, s2: nil, s3: other)
      }
      #expect(error?.code == .mismatch)
    }
    var changed = fresh
    changed.model = "abd"
    #expect(throws: MartletError.self) { try scores.requireFit(changed, s2: nil, s3: nil) }
    changed = fresh
    changed.layers[0].s1 = [1]
    #expect(throws: MartletError.self) { try scores.requireFit(changed, s2: nil, s3: nil) }
  }

  @Test(arguments: [
    "", "{}", "[1]", #"{"format":"martlet-plan","version":1}"#,
    #"{"format":"martlet-scores","version":2,"model":"m","layers":[]}"#,
    #"{"format":"martlet-scores","version":1,"model":"m","layers":[{"name":"a","s1":[1],"s2":[]}]}"#,
    #"{"format":"martlet-scores","version":1,"model":"m","layers":[{"name":"a","s1":[1],"s3":[1,2]}]}"#,
    #"{"format":"martlet-scores","version":1,"model":"m","layers":[{"name":"a","s1":[]}]}"#,
    #"{"format":"martlet-scores","version":1,"model":"m","layers":[{"name":"a","s1":[null]}]}"#,
  ])
  func `other files are refused`(_ text: String) throws {
    try withFile { path in
      try FileSystem.write(Array(text.utf8), to: path)
      #expect(throws: MartletError.self) { try ScoresFile.read(path) }
    }
  }

  @Test func `images are chosen evenly`() {
    let labels = [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]
    #expect(CalibrationChoice.indices(labels: labels, count: 4) == [0, 3, 5, 8])
    #expect(CalibrationChoice.indices(labels: labels, count: 2) == [0, 5])
    #expect(CalibrationChoice.indices(labels: labels, count: 6) == [0, 1, 3, 5, 6, 8])
    #expect(CalibrationChoice.indices(labels: labels, count: 99) == Array(0..<10))
    #expect(CalibrationChoice.indices(labels: [nil, 1, nil, nil], count: 2) == [0, 2])
    #expect(CalibrationChoice.indices(labels: [], count: 2) == [])
    #expect(CalibrationChoice.indices(labels: [5], count: 4) == [0])
    #expect(CalibrationChoice.indices(labels: [5, 5, 5], count: 2) == [0, 1])
  }
}
