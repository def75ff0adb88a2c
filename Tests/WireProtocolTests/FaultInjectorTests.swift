import Foundations
import Testing
import WireProtocol

/// Faults that are repeatable, bounded in time, and as frequent as asked for.
@Suite struct FaultInjectorTests {
  private func request(_ text: String) throws -> FaultRequest {
    try FaultRequest(payload: Array(text.utf8), source: "t")
  }

  private func fates(
    _ text: String, seed: UInt64, count: Int = 4000
  ) throws -> [FaultInjector.Fate] {
    var injector = FaultInjector()
    injector.apply(try request(text), seed: seed, at: seconds(0))
    return (0..<count).map { _ in injector.next(at: seconds(0.5)) }
  }

  @Test func nothingHappensUnasked() {
    var injector = FaultInjector()
    #expect(!injector.isActive)
    #expect(injector.next(at: seconds(1)) == FaultInjector.Fate())
  }

  @Test func theSameSeedDropsTheSameParts() throws {
    let text = #"{"kind":"drop","fraction":0.2}"#
    let first = try fates(text, seed: 7)
    #expect(try fates(text, seed: 7) == first)
    #expect(try fates(text, seed: 8) != first)
    let share = Double(first.count(where: \.isDropped)) / Double(first.count)
    #expect(abs(share - 0.2) < 0.03, "\(share)")
    #expect(try fates(#"{"kind":"drop"}"#, seed: 1).allSatisfy(\.isDropped))
    #expect(try !fates(#"{"kind":"drop","fraction":0}"#, seed: 1).contains(where: \.isDropped))
  }

  @Test(arguments: [
    (#""distribution":"fixed""#, 20.0, 20.0, 20.0), ("\"fraction\":1", 20, 20, 20),
    (#""distribution":"uniform","spread_ms":10"#, 20, 10, 30),
    (#""distribution":"exponential""#, 20, 0, 600),
    (#""distribution":"normal","spread_ms":5"#, 20, 0, 60),
  ])
  func delaysFollowTheirDistribution(
    fields: String, mean: Double, least: Double, most: Double
  ) throws {
    let delays = try fates(#"{"kind":"delay","mean_ms":20,\#(fields)}"#, seed: 3).map {
      Double($0.delayNanoseconds) / 1e6
    }
    let average = delays.reduce(0, +) / Double(delays.count)
    #expect(abs(average - mean) < 1.5, "\(average)")
    #expect(delays.allSatisfy { (least...most).contains($0) })
  }

  @Test func faultsEndWithTimeOrWord() throws {
    var injector = FaultInjector()
    injector.apply(try request(#"{"kind":"drop","for_ms":100}"#), seed: 1, at: seconds(1))
    injector.apply(try request(#"{"kind":"corrupt","for_ms":900}"#), seed: 1, at: seconds(1))
    let both = injector.next(at: seconds(1.05))
    #expect(both.isDropped && both.damage == .any)
    let one = injector.next(at: seconds(1.1))
    #expect(!one.isDropped && one.damage == .any)
    injector.apply(try request(#"{"kind":"clear"}"#), seed: 1, at: seconds(1.2))
    #expect(!injector.isActive)
  }

  @Test func damageStaysWhereItShould() throws {
    var injector = FaultInjector()
    injector.apply(try request(#"{"kind":"corrupt"}"#), seed: 9, at: seconds(0))
    let original = [UInt8](repeating: 0, count: 100)
    var changed = 0
    for round in 0..<200 {
      let place = FaultRequest.Place.allCases[round % 3]
      var bytes = original
      injector.damage(&bytes, at: place, headerBytes: 40)
      let hits = bytes.indices.filter { bytes[$0] != 0 }
      changed += hits.isEmpty ? 0 : 1
      switch place {
      case .header: #expect(hits.allSatisfy { $0 < 40 })
      case .data: #expect(hits.allSatisfy { $0 >= 40 })
      case .any: break
      }
    }
    // Two flips of one bit cancel out now and then.
    #expect(changed > 150)
    var empty: [UInt8] = []
    injector.damage(&empty, at: .any, headerBytes: 8)
    #expect(empty.isEmpty)
  }

  @Test(arguments: [
    "{}", #"{"kind":"explode"}"#, #"{"kind":"drop","fraction":1.5}"#,
    #"{"kind":"drop","fraction":-0.1}"#, #"{"kind":"stall","for_ms":0}"#,
    #"{"kind":"stall","for_ms":600001}"#, #"{"kind":"delay"}"#,
    #"{"kind":"delay","mean_ms":-1}"#, #"{"kind":"delay","mean_ms":1,"distribution":"odd"}"#,
    #"{"kind":"exit","code":256}"#, #"{"kind":"corrupt","place":"elsewhere"}"#,
  ])
  func badRequestsAreRefused(text: String) {
    #expect(throws: MartletError.self) { try request(text) }
  }
}
