import Foundations
import Plan
import Planning
import Testing

@Suite("Striped codes")
struct CodedPlacingTests {
  private let sizes = [1, 2, 3, 5, 7, 10, 16, 61, 128]

  private func coded(_ sizes: [Int], devices: Int, tolerating: Int) throws -> [LayerPlacement] {
    let layers = sizes.enumerated().map { LayerTraits(id: "l\($0)", neurons: $1) }
    return try Placing.coded(
      layers, shares: Array(repeating: 1, count: devices), tolerating: tolerating)
  }

  /// The table in the documentation of `ParityGenerator`, by data then parity blocks.
  private let documented: [[Double]] = [
    [1, 1, 1, 1, 1, 1, 1],
    [2.5, 2.5, 3.8, 3.8, 5.1, 5.1],
    [3.2, 4.4, 5.8, 6.8, 14.2],
    [3.8, 6.2, 10.1, 15.9],
    [4.3, 8.6, 14.8],
    [4.7, 10.8],
    [5.1],
  ]

  @Test("condition numbers stay below what is documented, for every choice of survivors")
  func conditions() {
    for (index, row) in documented.enumerated() {
      let data = index + 1
      for (column, bound) in row.enumerated() {
        let parity = column + 1
        let identity = (0..<data).map { i in (0..<data).map { $0 == i ? 1.0 : 0 } }
        let rows =
          identity
          + ParityGenerator.coefficients(data: data, parity: parity).map { factors in
            let length = factors.reduce(0.0) { $0 + Double($1 * $1) }.squareRoot()
            return factors.map { Double($0) / length }
          }
        let worst =
          subsets(of: data + parity).filter { $0.count == data }
          .map { survivors in conditionNumber(survivors.sorted().map { rows[$0] }) }.max() ?? 0
        #expect(worst < bound + 0.001, "\(data) data, \(parity) parity: \(worst)")
        #expect(worst > bound - 0.1 || bound == 1, "\(data) data, \(parity) parity: \(worst)")
      }
    }
  }

  @Test("any m of n devices may be lost, one more may not", arguments: 1...8)
  func tolerance(devices: Int) throws {
    for tolerating in 0..<devices {
      let placements = try coded(sizes, devices: devices, tolerating: tolerating)
      for (placement, neurons) in zip(placements, sizes) {
        for missing in subsets(of: devices) where missing.count < devices {
          let survives = placement.holders.allSatisfy { !missing.isSuperset(of: $0) }
          #expect(survives || missing.count > tolerating)
          guard let code = placement.code else { continue }
          let outputs = CodedOutputs(code: code, neurons: neurons, seed: UInt64(devices))
          let error = outputs.worstError(missing: missing)
          if missing.count <= tolerating {
            #expect(try #require(error) < 1e-5, "\(devices) \(tolerating) \(missing)")
          } else if neurons >= devices * (devices - tolerating) {
            // Smaller layers have stripes without some of the devices.
            #expect(error == nil, "\(devices) \(tolerating) \(missing)")
          }
        }
      }
    }
  }

  @Test("every stripe holds each neuron once, on its primary, and blocks on different devices")
  func structure() throws {
    for (devices, tolerating) in [(3, 1), (4, 1), (4, 2), (6, 3), (8, 2), (12, 3), (20, 9)] {
      let placements = try coded(sizes, devices: devices, tolerating: tolerating)
      for (placement, neurons) in zip(placements, sizes) {
        #expect(placement.holders.count == neurons)
        for holders in placement.holders {
          #expect(holders.count == tolerating + 1)
          #expect(Set(holders).count == holders.count)
        }
        guard let code = placement.code else { continue }
        let data = code.stripes.flatMap(\.data)
        #expect(data.flatMap(\.neurons).sorted() == Array(0..<neurons))
        for block in data {
          #expect(block.neurons.allSatisfy { placement.holders[$0][0] == block.device })
        }
        for stripe in code.stripes {
          let used = stripe.data.map(\.device) + stripe.parity.map(\.device)
          #expect(Set(used).count == used.count)
          #expect(stripe.parity.count == tolerating)
          #expect(stripe.parity.allSatisfy { $0.coefficients.count == stripe.data.count })
          let lengths = stripe.data.map(\.neurons.count)
          #expect((lengths.max() ?? 0) - (lengths.min() ?? 0) <= 1)
        }
      }
    }
  }

  @Test("every device is primary of its share in each layer and over all", arguments: 1...8)
  func fairness(devices: Int) throws {
    for tolerating in 0..<devices {
      let placements = try coded(sizes, devices: devices, tolerating: tolerating)
      var totals = [Int](repeating: 0, count: devices)
      for placement in placements {
        let counts = placement.primaries(devices: devices).map(\.count)
        #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
        for device in 0..<devices { totals[device] += counts[device] }
      }
      #expect((totals.max() ?? 0) - (totals.min() ?? 0) <= 1, "\(devices) \(tolerating) \(totals)")
    }
  }

  @Test("all rotations of the roles occur, and parity is spread evenly")
  func rotation() throws {
    let placement = try coded([128], devices: 4, tolerating: 2)[0]
    let stripes = try #require(placement.code).stripes
    #expect(stripes.map { $0.data[0].device } == [0, 1, 2, 3])
    #expect(stripes.map(\.width) == [16, 16, 16, 16])
  }

  @Test("stand-ins of a lost device are spread evenly")
  func standIns() throws {
    let placement = try coded([210], devices: 7, tolerating: 3)[0]
    for lost in 0..<7 {
      let mine = placement.holders.filter { $0[0] == lost }
      #expect((0..<7).map { device in mine.count { $0[1] == device } }.max() == 5)
    }
  }

  @Test("layers in which sums mean nothing are copied")
  func copied() throws {
    let layer = LayerTraits(id: "grouped", neurons: 8, isSummable: false)
    let placement = try Placing.coded([layer], shares: [1, 1, 1, 1], tolerating: 2)[0]
    #expect(placement.code == nil)
    #expect(placement.holders.allSatisfy { Set($0).count == 3 })
  }

  @Test("important neurons are dealt first")
  func importance() throws {
    let layer = LayerTraits(id: "l", neurons: 6)
    let placement = try Placing.coded(
      [layer], shares: [1, 1, 1], tolerating: 1, importance: [[1, 6, 2, 5, 3, 4]])[0]
    // In descending order 1, 3, 5, 4, 2, 0, to devices 0, 1, 2 in turn.
    #expect(placement.holders.map { $0[0] } == [2, 0, 1, 1, 0, 2])
  }

  @Test("unequal shares and impossible tolerances are refused")
  func refusals() {
    let layers = [LayerTraits(id: "l", neurons: 6)]
    let unequal = #expect(throws: MartletError.self) {
      try Placing.coded(layers, shares: [1, 2], tolerating: 1)
    }
    #expect(unequal?.code == .invalidArgument)
    let impossible = #expect(throws: MartletError.self) {
      try Placing.coded(layers, shares: [1, 1], tolerating: 2)
    }
    #expect(impossible?.hint == "tolerate 0 to 1")
  }
}
