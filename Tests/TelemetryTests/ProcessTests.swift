import Glibc
import Telemetry
import TensorCore
import Testing

@Suite struct ProcessTests {
  @Test func memoryOfThisProcessAndOfOthers() throws {
    let before = try ProcessMemory.read()
    #expect(before.residentBytes > 1 << 20)
    #expect(before.peakBytes >= before.residentBytes)
    var block = [UInt8](repeating: 0, count: 64 << 20)
    for index in stride(from: 0, to: block.count, by: 4096) { block[index] = 1 }
    let after = try ProcessMemory.read(pid: getpid())
    #expect(after.peakBytes >= 64 << 20)
    #expect(block[4096] == 1)
    #expect(try ProcessMemory.read(pid: getppid()).residentBytes > 0)
    let error = #expect(throws: MartletError.self) { try ProcessMemory.read(pid: .max) }
    #expect(error?.code == .notFound)
  }

  @Test func timeOfThisProcessGrows() throws {
    let start = ProcessTime.cpuSeconds()
    var sum: UInt64 = 1
    while ProcessTime.cpuSeconds() - start < 0.05 { sum = sum &* 31 &+ 7 }
    #expect(sum != 0)
    let own = try ProcessTime.cpuSeconds(pid: getpid())
    #expect(abs(own - ProcessTime.cpuSeconds()) < 1)
    #expect(throws: MartletError.self) { try ProcessTime.cpuSeconds(pid: .max) }
  }
}

@Suite struct StatisticsTests {
  @Test func quantilesAreExact() {
    var quantiles = Quantiles()
    #expect(quantiles.p50 == nil && quantiles.mean == nil && quantiles.maximum == nil)
    for value in (1...100).reversed() { quantiles.add(Double(value)) }
    quantiles.add(.nan)
    #expect(quantiles.count == 100)
    #expect(quantiles.p50 == 50 && quantiles.p90 == 90 && quantiles.p99 == 99)
    #expect(quantiles.quantile(0) == 1 && quantiles.quantile(1) == 100)
    #expect(quantiles.quantile(-3) == 1 && quantiles.quantile(7) == 100)
    #expect(quantiles.quantile(.nan) == nil)
    #expect(quantiles.mean == 50.5 && quantiles.maximum == 100)
  }

  @Test func onlyTheLastSamplesAreKept() {
    var quantiles = Quantiles(capacity: 3)
    for value in [100.0, 200, 1, 2, 3] { quantiles.add(value) }
    #expect(quantiles.count == 5)
    #expect(quantiles.quantiles([0, 0.5, 1]) == [1, 2, 3])
  }

  @Test func wilsonAgreesWithKnownValues() {
    // Computed from the formula in another language.
    let middle = WilsonInterval(successes: 8, trials: 10)
    #expect(abs(middle.lower - 0.490162) < 1e-6 && abs(middle.upper - 0.943318) < 1e-6)
    let all = WilsonInterval(successes: 500, trials: 500)
    #expect(abs(all.lower - 0.992376) < 1e-6 && all.upper == 1)
    let none = WilsonInterval(successes: 0, trials: 0)
    #expect(none.lower == 0 && none.upper == 1)
    for trials in 1...40 {
      for successes in 0...trials {
        let interval = WilsonInterval(successes: successes, trials: trials)
        let share = Double(successes) / Double(trials)
        #expect(interval.lower <= share && share <= interval.upper)
      }
    }
  }
}
