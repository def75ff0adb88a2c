import Benchmarks
import ModelGraph
import Plan
import Testing

@Suite struct RateFitTests {
  private func samples(
    _ kind: KernelKind, _ works: [(Int, Int)], seconds: (Int, Int) -> Double
  ) -> [RateFit.Sample] {
    works.map {
      RateFit.Sample(
        KernelWork(kind, operations: $0.0, bytes: $0.1), seconds: seconds($0.0, $0.1))
    }
  }

  @Test func bothRatesAreFoundWhereTimesFollowFromThem() throws {
    let exact = samples(.winograd, [(1_000_000, 5000), (2_000_000, 90_000), (500_000, 40_000)]) {
      Double($0) / 2e9 + Double($1) / 3e7
    }
    let rate = RateFit.rate(of: .winograd, from: exact)
    #expect(abs((rate.operations ?? 0) / 2e9 - 1) < 1e-6)
    #expect(abs((rate.bytes ?? 0) / 3e7 - 1) < 1e-6)
  }

  @Test func whereOneRateExplainsAllTheOtherIsLeftOut() {
    // Larger by bytes and yet faster: bytes cannot cost anything.
    let odd = samples(.convolution, [(1_000_000, 1000), (1_000_000, 9000)]) { _, bytes in
      bytes > 5000 ? 1e-3 : 2e-3
    }
    let rate = RateFit.rate(of: .convolution, from: odd)
    #expect(rate.bytes == nil && rate.operations.map { abs($0 / (2e6 / 3e-3) - 1) < 1e-9 } == true)
    let alike = samples(.pointwise, [(100, 10), (200, 20)]) { operations, _ in
      Double(operations) * 1e-6
    }
    let single = RateFit.rate(of: .pointwise, from: alike)
    #expect(single.bytes == nil && single.operations.map { abs($0 / 1e6 - 1) < 1e-9 } == true)
  }

  @Test func kindsThatMemoryBindsHaveBytesOnly() {
    for kind in [KernelKind.dense, .elementwise, .movement, .transposition, .normalisation] {
      let rate = RateFit.rate(
        of: kind, from: samples(kind, [(10, 1000), (10, 3000)]) { Double($1) / 1e9 })
      #expect(rate.operations == nil && rate.bytes.map { abs($0 / 1e9 - 1) < 1e-9 } == true)
    }
    let function = RateFit.rate(
      of: .function,
      from: samples(.function, [(10, 0), (40, 8)]) { operations, _ in
        Double(operations) / 5e8
      })
    #expect(function.bytes == nil)
    #expect(function.operations.map { abs($0 / 5e8 - 1) < 1e-9 } == true)
  }
}
