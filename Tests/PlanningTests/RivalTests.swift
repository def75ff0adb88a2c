import Foundations
import Plan
import Planning
import Testing

@Suite("Placements of other methods")
struct RivalTests {
  private let layers = [5, 1, 8, 3].enumerated().map { LayerTraits(id: "l\($0)", neurons: $1) }

  @Test("replication puts every neuron everywhere and divides the work")
  func replicate() {
    let placements = Placing.replicate(layers, shares: [1, 1, 1])
    for placement in placements {
      #expect(placement.holders.allSatisfy { $0.sorted() == [0, 1, 2] })
      let counts = placement.primaries(devices: 3).map(\.count)
      #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    }
    // 17 neurons in all.
    let totals = (0..<3).map { device in
      placements.reduce(0) { $0 + $1.primaries(devices: 3)[device].count }
    }
    #expect(totals.sorted() == [5, 6, 6])
  }

  @Test("work is divided by shares")
  func shares() {
    let layer = LayerTraits(id: "l", neurons: 12)
    let placement = Placing.replicate([layer], shares: [2, 1, 1])[0]
    #expect(placement.primaries(devices: 3).map(\.count) == [6, 3, 3])
  }

  @Test("copies stand in evenly for any lost device, and for any lost pair")
  func copies() {
    let layer = LayerTraits(id: "l", neurons: 240)
    let holders = Placing.copies([layer], shares: [1, 1, 1, 1, 1], tolerating: 2)[0].holders
    for missing in subsets(of: 5) where (1...2).contains(missing.count) {
      var load = [Int](repeating: 0, count: 5)
      for devices in holders {
        if let device = devices.first(where: { !missing.contains($0) }) { load[device] += 1 }
      }
      let survivors = (0..<5).filter { !missing.contains($0) }.map { load[$0] }
      #expect((survivors.max() ?? 0) - (survivors.min() ?? 0) <= 3, "\(missing): \(load)")
    }
  }

  @Test("the parity device holds the sum of contiguous runs, and any one may be lost")
  func parityDevice() throws {
    for devices in 2...6 {
      let placements = try Placing.parityDevice(
        layers, shares: Array(repeating: 1, count: devices))
      for (placement, layer) in zip(placements, layers) {
        #expect(placement.holders.allSatisfy { $0.count == 2 && $0[1] == devices - 1 })
        #expect(placement.holders.map { $0[0] } == placement.holders.map { $0[0] }.sorted())
        let code = try #require(placement.code)
        let outputs = CodedOutputs(code: code, neurons: layer.neurons, seed: 1)
        for lost in 0..<devices {
          let error = try #require(outputs.worstError(missing: [lost]))
          #expect(error < 1e-5)
        }
        #expect(outputs.worstError(missing: [0, devices - 1]) == nil)
      }
    }
    #expect(throws: MartletError.self) { try Placing.parityDevice(layers, shares: [1]) }
  }

  @Test("runs of the parity device's peers follow their shares")
  func unequalRuns() throws {
    let layer = LayerTraits(id: "l", neurons: 9)
    let placement = try Placing.parityDevice([layer], shares: [2, 1, 7])[0]
    let stripe = try #require(placement.code).stripes[0]
    #expect(stripe.data.map(\.neurons) == [[0, 1, 2, 3, 4, 5], [6, 7, 8]])
    #expect(stripe.width == 6)
  }

  @Test("grouped layers are copied to the parity device")
  func grouped() throws {
    let layer = LayerTraits(id: "l", neurons: 4, isSummable: false)
    let placement = try Placing.parityDevice([layer], shares: [1, 1, 1])[0]
    #expect(placement.code == nil)
    #expect(placement.holders == [[0, 2], [0, 2], [1, 2], [1, 2]])
  }
}
