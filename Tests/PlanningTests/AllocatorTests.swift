import Evaluation
import Plan
import Planning
import Testing

@Suite("Allocating protection")
struct AllocatorTests {
  /// Two options for each of three layers: nothing, or safe at a price.
  private let bytes = [[100, 133], [1000, 1333], [10, 13]]

  private func allocator(_ damage: [Double]) -> Allocator {
    Allocator(bytes: bytes, losses: damage.map { [[$0, $0], [0, $0]] })
  }

  @Test("the layer with the most damage per byte comes first")
  func order() throws {
    let choice = try #require(
      allocator([0.5, 0.6, 0.4]).choices(weights: [1, 0], budget: 1110 + 40).first)
    #expect(choice == [1, 0, 1])
  }

  @Test("everything is protected when the budget allows, nothing when it just suffices")
  func ends() throws {
    let planner = allocator([0.5, 0.6, 0.4])
    #expect(planner.choices(weights: [1, 0], budget: 10_000).first == [1, 1, 1])
    #expect(planner.choices(weights: [1, 0], budget: 1110).first == [0, 0, 0])
    #expect(planner.choices(weights: [1, 0], budget: 1109).isEmpty)
  }

  @Test("no choice exceeds its budget, and more never predicts less", arguments: 0..<40)
  func random(seed: UInt64) throws {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let layers = 1 + next(8)
    let bytes = (0..<layers).map { _ in
      let base = 10 + next(1000)
      return [base, base * 4 / 3, base * 2, base * 4]
    }
    let damage = (0..<layers).map { _ in
      let worst = Double(next(100)) / 100
      return [[worst / 3, worst / 2, worst], [0, worst / 2, worst], [0, 0, worst], [0, 0, 0]]
    }
    let allocator = Allocator(bytes: bytes, losses: damage)
    let least = bytes.reduce(0) { $0 + $1[0] }
    var last = 0.0
    let budgets = Array(stride(from: least, to: least * 4, by: max(1, least / 5))) + [least * 4]
    for budget in budgets {
      for choice in allocator.choices(weights: [1, 1, 1], budget: budget) {
        #expect(zip(bytes, choice).reduce(0) { $0 + $1.0[$1.1] } <= budget, "seed \(seed)")
      }
      let best = try #require(
        allocator.choices(weights: [1, 1, 1], budget: budget).first)
      let value = allocator.survival(best).reduce(0, +)
      // The knapsack is greedy, so a little less can happen.
      #expect(value >= last - 0.25, "seed \(seed), budget \(budget)")
      last = max(last, value)
    }
    #expect(last > 2.999, "seed \(seed): with everything copied nothing is lost")
  }

  @Test("probabilities of numbers of failures")
  func weights() {
    let weights = FailureWeights.reliabilities([0.9, 0.9])
    #expect(abs(weights[0] - 0.18) < 1e-12)
    #expect(FailureWeights.surviving(2, devices: 4) == [0.1 / 1.1, 1 / 1.1, 0])
    #expect(FailureWeights.surviving(5, devices: 2) == [1])
  }

  @Test("every layer can be had single, coded and copied, at the prices of the theory")
  func table() throws {
    let layers = [LayerTraits(id: "a", neurons: 48, mixingWeights: 10)]
    let table = try ProtectionTable(
      layers: layers, devices: 4, importance: [Array(repeating: 1, count: 48)])
    let prices = Dictionary(
      uniqueKeysWithValues: table.options[0].map { ($0.protection, $0.bytes) })
    #expect(prices["single"] == 1920)
    #expect(prices["coded1"] == 2560)
    #expect(prices["coded2"] == 3840)
    #expect(prices["copies2"] == 3840)
    #expect(prices["copies4"] == 7680)
    #expect(table.minimumBytes == 1920)
  }
}
