import Foundations
import Plan
import Planning
import Testing

@Suite("Clustered placement")
struct ClusteredPlacingTests {
  private func layer(_ points: [[Double]], id: String = "l", weights: Int = 1) throws -> ScoredLayer
  {
    try ScoredLayer(
      traits: LayerTraits(id: id, neurons: points.count, mixingWeights: weights), points: points)
  }

  private func random(_ count: Int, seed: UInt64) throws -> ScoredLayer {
    var random = SeededGenerator(seed: seed)
    return try layer((0..<count).map { _ in [.random(in: 0...1, using: &random)] })
  }

  private func place(
    _ layer: ScoredLayer, devices: Int, threshold: Double, _ distribution: RoundRobin = .literal
  ) throws -> LayerPlacement {
    try Placing.clustered(
      [layer], devices: devices, thresholds: [threshold], distribution: distribution)[0]
  }

  /// Lines 22 to 28 of Algorithm 1 for one group: the devices of each member, numbered from 0.
  ///
  /// - Parameter begin: the j of the first copy: 1 in the paper, 0 to begin at the first device.
  private func literalDevices(size: Int, devices: Int, begin: Int = 0) -> [[Int]] {
    var list = Array(0..<size)
    if size % devices != 0 {
      for j in 0..<(devices - size % devices) { list.append(list[j]) }
    }
    var result = [[Int]](repeating: [], count: size)
    for (j, member) in list.enumerated() { result[member].append((j + begin) % devices) }
    return result
  }

  @Test("a group is dealt as Algorithm 1 deals it, with no two copies on one device")
  func literal() throws {
    for devices in 1...9 {
      for size in 1...40 {
        let layer = try layer((0..<size).map { _ in [1] })
        for (distribution, begin) in [(RoundRobin.literal, 0), (.paper, 1)] {
          let expected = literalDevices(size: size, devices: devices, begin: begin)
          let holders = try place(
            layer, devices: devices, threshold: .infinity, distribution
          ).holders
          #expect(holders.map { $0.sorted() } == expected.map { $0.sorted() })
          #expect(holders.allSatisfy { Set($0).count == $0.count })
        }
      }
    }
  }

  @Test("all options keep the size of the padding and never repeat a device")
  func options() throws {
    for distribution in [
      RoundRobin(rotates: true), RoundRobin(replicatesMostImportant: true), .balanced,
    ] {
      for devices in 1...8 {
        for (seed, size) in [1, 2, 3, 5, 7, 8, 13, 30, 100].enumerated() {
          for threshold in [0, 0.02, 0.1, 0.3, .infinity] {
            let layer = try random(size, seed: UInt64(seed))
            let holders =
              try place(layer, devices: devices, threshold: threshold, distribution).holders
            #expect(holders.allSatisfy { Set($0).count == $0.count && !$0.isEmpty })
            for group in Clustering.groups(layer.points, threshold: threshold) {
              let copies = group.reduce(0) { $0 + holders[$1].count }
              #expect(copies == (group.count + devices - 1) / devices * devices)
              for device in 0..<devices {
                #expect(group.count { holders[$0].contains(device) } == copies / devices)
              }
            }
          }
        }
      }
    }
  }

  @Test("zero replicates everything, with equal work")
  func fullReplication() throws {
    let holders = try place(try random(10, seed: 1), devices: 4, threshold: 0)
    #expect(holders.holders.allSatisfy { $0.sorted() == [0, 1, 2, 3] })
    #expect(holders.primaries(devices: 4).map(\.count).sorted() == [2, 2, 3, 3])
  }

  @Test("the most important members get the replicas")
  func mostImportant() throws {
    // Six members on four devices: two replicas.
    let layer = try layer([[0.1], [0.6], [0.3], [0.2], [0.5], [0.4]])
    let first = try place(layer, devices: 4, threshold: .infinity).holders
    #expect(first.map(\.count) == [2, 2, 1, 1, 1, 1])
    let best = try place(
      layer, devices: 4, threshold: .infinity, RoundRobin(replicatesMostImportant: true)
    ).holders
    #expect(best.map(\.count) == [1, 2, 1, 1, 2, 1])
  }

  @Test("a member whose only free device has it already gives way to the next")
  func mostImportantTaken() throws {
    // Seven members on four devices: one replica, on the last device, which has member 3.
    let layer = try layer([[0.1], [0.2], [0.3], [0.9], [0.8], [0.4], [0.5]])
    let holders = try place(
      layer, devices: 4, threshold: .infinity, RoundRobin(replicatesMostImportant: true)
    ).holders
    #expect(holders.map(\.count) == [1, 1, 1, 1, 2, 1, 1])
  }

  @Test("rotation makes no device worth more than another")
  func rotation() throws {
    // Forty pairs on four devices; each pair's neurons are two apart from the next pair.
    let layer = try layer((0..<80).map { [Double($0 / 2)] })
    let fixed = try place(layer, devices: 2, threshold: 0.5).holders
    #expect(stride(from: 0, to: 80, by: 2).allSatisfy { fixed[$0] == [0] })
    let rotated = try place(layer, devices: 2, threshold: 0.5, RoundRobin(rotates: true)).holders
    #expect(stride(from: 0, to: 80, by: 2).count { rotated[$0] == [0] } == 20)
  }

  @Test("work is divided evenly where the copies allow, over layers too")
  func balance() throws {
    for devices in 2...6 {
      let layers = try (0..<6).map { try random(20 + 13 * $0, seed: UInt64($0)) }
      let placements = try Placing.clustered(
        layers, devices: devices, thresholds: layers.map { _ in 0.05 }, distribution: .balanced)
      var totals = [Int](repeating: 0, count: devices)
      for placement in placements {
        let counts = placement.primaries(devices: devices).map(\.count)
        #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "\(counts)")
        for device in 0..<devices { totals[device] += counts[device] }
      }
      #expect((totals.max() ?? 0) - (totals.min() ?? 0) <= 1, "\(totals)")
    }
  }

  @Test("the division of work is the best that there is")
  func optimalBalance() throws {
    // Exhaustively for small layers, the paper's distribution included.
    for seed in 0..<12 {
      let layer = try random(9, seed: UInt64(100 + seed))
      let threshold = [0.1, 0.2, 0.4][seed % 3]
      let placement = try place(layer, devices: 3, threshold: threshold)
      let loads = placement.primaries(devices: 3).map(\.count)
      var best = Int.max
      func choose(_ neuron: Int, _ loads: [Int]) {
        guard neuron < 9 else {
          best = min(best, loads.reduce(0) { $0 + $1 * $1 })
          return
        }
        for device in placement.holders[neuron] {
          var next = loads
          next[device] += 1
          choose(neuron + 1, next)
        }
      }
      choose(0, [0, 0, 0])
      #expect(loads.reduce(0) { $0 + $1 * $1 } == best)
    }
  }

  @Test("stand-ins of a lost device share its work")
  func standIns() throws {
    let placement = try place(try random(120, seed: 5), devices: 4, threshold: 0, .balanced)
    for lost in 0..<4 {
      let load = (0..<4).map { device in
        placement.holders.count { $0[0] == lost && $0[1] == device }
      }
      #expect(load.filter { $0 > 0 } == [10, 10, 10])
    }
  }

  @Test("placing 4096 neurons on eight devices takes seconds at most, whatever the threshold")
  func speed() throws {
    var random = SeededGenerator(seed: 2)
    let layer = try layer(
      (0..<4096).map { _ in (0..<3).map { _ in .random(in: 0...1, using: &random) } })
    let clock = ContinuousClock()
    for distribution in [RoundRobin.literal, .balanced] {
      for threshold in [0, 0.01, 0.1, 0.4, 1.2, .infinity] {
        let start = clock.now
        let placement = try place(layer, devices: 8, threshold: threshold, distribution)
        let time = clock.now - start
        let counts = placement.primaries(devices: 8).map(\.count)
        print("placing 4096 neurons, threshold \(threshold): \(time), \(counts)")
        #expect(time < .seconds(10))
      }
    }
  }

  @Test("scores and thresholds that make no sense are refused by name")
  func refusals() throws {
    let scores = #expect(throws: MartletError.self) {
      try ScoredLayer(
        traits: LayerTraits(id: "conv", neurons: 2), points: [[1, 2, 3], [1, .nan, 3]])
    }
    #expect(scores?.context.first?.value == "conv")
    #expect(scores?.context.dropFirst().first?.value == "1")
    #expect(throws: MartletError.self) {
      try ScoredLayer(traits: LayerTraits(id: "conv", neurons: 2), points: [[1]])
    }
    let layer = try random(4, seed: 1)
    for threshold in [-1, Double.nan] {
      let error = #expect(throws: MartletError.self) {
        try Placing.clustered([layer], devices: 2, thresholds: [threshold])
      }
      #expect(error?.context.first?.value == "l")
    }
  }
}
