import Foundations
import JSONCoding
import Plan
import Planning
import Testing

@Suite("Thresholds and their cost")
struct ThresholdTests {
  private func layers(_ sizes: [(neurons: Int, weights: Int)], seed: UInt64 = 3) throws
    -> [ScoredLayer]
  {
    var random = SeededGenerator(seed: seed)
    return try sizes.enumerated().map { number, size in
      try ScoredLayer(
        traits: LayerTraits(
          id: "l\(number)", neurons: size.neurons, mixingWeights: size.weights - 2,
          localWeights: 2),
        points: (0..<size.neurons).map { _ in
          (0..<3).map { _ in .random(in: 0...1, using: &random) }
        })
    }
  }

  private let sizes = [(neurons: 16, weights: 10), (64, 150), (128, 600), (10, 130)]

  @Test("a target of copies is met, and costs what the placement costs", arguments: [2, 3, 4, 7])
  func copies(devices: Int) throws {
    let layers = try layers(sizes)
    let search = ThresholdSearch(layers, devices: devices)
    for counting in PlacementCost.Counting.allCases {
      for target in [1.3, 1.5, 2, 2.5, 3] where target < Double(devices) {
        let found = try search.find(.copies(target, counting))
        let placements = try Placing.clustered(
          layers, devices: devices, thresholds: layers.map { _ in found.threshold })
        let cost = PlacementCost(
          of: placements, layers: layers.map(\.traits), devices: devices)
        #expect(cost.copies(counting) <= target)
        #expect(cost.copies(.weights) == found.copies)
        #expect(cost.copies(.neurons) == found.neuronCopies)
        #expect(cost.bytes == Array(repeating: found.bytes, count: devices))
        #expect(found.clusterings <= 42)
        // Not far below either: these layers have room for nearly any target.
        #expect(cost.copies(counting) > target - 0.25)
      }
    }
  }

  @Test("a target of memory is met")
  func memory() throws {
    let layers = try layers(sizes)
    let search = ThresholdSearch(layers, devices: 4)
    let all = layers.reduce(0) { $0 + $1.traits.neurons * $1.traits.weights } * 4
    let found = try search.find(.memory(all / 2))
    #expect(found.bytes <= all / 2)
    #expect(found.bytes > all * 4 / 10)
    let whole = try search.find(.memory(all))
    #expect(whole.threshold == 0)
    #expect(whole.bytes == all)
  }

  @Test("the extremes need no search, and less than possible is an error that says the minimum")
  func limits() throws {
    let search = ThresholdSearch(try layers(sizes), devices: 4)
    let replicated = try search.find(.copies(4))
    #expect(replicated.threshold == 0)
    #expect(replicated.copies == 4)
    let error = #expect(throws: MartletError.self) { try search.find(.copies(1)) }
    #expect(error?.context.first?.key == "minimum")
    // Exactly the minimum is possible; ten neurons on four devices take twelve places.
    let least = try search.find(.copies(218.0 / 218 + 2.0 / 218, .neurons))
    #expect(least.neuronCopies == 220.0 / 218)
    #expect(throws: MartletError.self) { try search.find(.memory(1000)) }
    #expect(throws: MartletError.self) { try search.find(.copies(.nan)) }
  }

  @Test("coded placements cost n / (n - m), and the stand-ins' local constants")
  func codedCost() throws {
    let layer = LayerTraits(id: "l", neurons: 128, mixingWeights: 90, localWeights: 10)
    for (tolerating, mixing) in [(0, 1.0), (1, 4.0 / 3), (2, 2.0), (3, 4.0)] {
      let placements = try Placing.coded(
        [layer], shares: [1, 1, 1, 1], tolerating: tolerating)
      let cost = PlacementCost(of: placements, layers: [layer], devices: 4)
      let expected = (90 * mixing + 10 * Double(tolerating + 1)) / 100
      #expect(abs(cost.copies() - expected) < 0.01, "\(tolerating): \(cost.copies())")
      #expect(Double(cost.largest) <= Double(cost.bytes.min() ?? 0) * 1.05)
    }
  }

  @Test("a parity device costs a share of the weights")
  func parityCost() throws {
    let layer = LayerTraits(id: "l", neurons: 100, mixingWeights: 9, localWeights: 0)
    let placements = try Placing.parityDevice([layer], shares: [1, 1, 1, 1, 1])
    let cost = PlacementCost(of: placements, layers: [layer], devices: 5)
    #expect(cost.bytes == Array(repeating: 25 * 9 * 4, count: 5))
    #expect(cost.copies(.neurons) == 1.25)
  }

  @Test("a file's thresholds are put in the order of the layers")
  func file() throws {
    let file = ThresholdFile(modelSHA256: "ab", thresholds: ["b": 0.5], otherwise: .infinity)
    #expect(try file.resolved(layers: ["a", "b"], modelSHA256: "ab") == [.infinity, 0.5])
  }

  @Test("a file survives JSON, infinity included")
  func fileRoundTrip() throws {
    let file = ThresholdFile(modelSHA256: "ab", thresholds: ["a": 0.5, "b": .infinity])
    let bytes = try JSON.encode(file)
    #expect(try JSON.decode(ThresholdFile.self, from: bytes, source: "t.json") == file)
    let written = Array(#"{"model_sha256":"ab","thresholds":{"a":1},"default":"inf"}"#.utf8)
    let read = try JSON.decode(ThresholdFile.self, from: written, source: "t.json")
    #expect(try read.resolved(layers: ["a", "b"], modelSHA256: "ab") == [1, .infinity])
    let wrong = Array(#"{"model_sha256":"ab","thresholds":{"a":"wide"}}"#.utf8)
    let error = #expect(throws: MartletError.self) {
      try JSON.decode(ThresholdFile.self, from: wrong, source: "t.json")
    }
    #expect(error?.code == .invalidFile)
  }

  @Test("a file of another model, or with other layers, is refused")
  func fileRefusals() {
    let file = ThresholdFile(modelSHA256: "ab", thresholds: ["a": 0.5, "b": -1])
    for (layers, digest, code) in [
      (["a", "b"], "cd", MartletError.Code.mismatch), (["a"], "ab", .mismatch),
      (["a", "c", "b"], "ab", .mismatch), (["a", "b"], "ab", .invalidArgument),
    ] {
      let error = #expect(throws: MartletError.self) {
        try file.resolved(layers: layers, modelSHA256: digest)
      }
      #expect(error?.code == code)
    }
  }
}
