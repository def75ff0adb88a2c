import Planning
import Testing

@Suite("Pareto fronts")
struct ParetoFrontTests {
  @Test("keep what no other beats")
  func front() {
    let points = [(2, 50), (1, 50), (1, 40), (3, 80), (3, 80), (4, 79), (5, 81)].map {
      ParetoFront.Point(cost: Double($0.0), value: Double($0.1))
    }
    #expect(ParetoFront.of(points) == [1, 3, 4, 6])
    #expect(ParetoFront.of([]).isEmpty)
  }

  @Test("agree with the definition", arguments: 0..<50)
  func random(seed: UInt64) {
    var generator = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    func next() -> Double {
      generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(generator >> 60)
    }
    let points = (0..<30).map { _ in ParetoFront.Point(cost: next(), value: next()) }
    let expected = points.indices.filter { number in
      let own = points[number]
      return !points.contains {
        $0.cost <= own.cost && $0.value >= own.value && $0 != own
      }
    }
    #expect(ParetoFront.of(points) == expected)
  }
}
