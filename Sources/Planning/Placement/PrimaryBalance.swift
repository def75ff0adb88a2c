/// Chooses which of its holders computes each neuron while everybody is there, so that all devices
/// have equal work as nearly as the holders allow.
///
/// A greedy choice is improved along chains: device a hands a neuron to b, which hands another to c,
/// until one that has too many is relieved by one that has too few. When no chain is left the sum of
/// squares of the loads is the least possible, and so is the largest load. Chains that only swap who
/// has an odd neuron are followed when that evens out what the layers before left.
struct PrimaryBalance {
  private let devices: Int
  /// Neurons computed by each device, over the layers so far.
  private var totals: [Int]

  init(devices: Int) {
    self.devices = devices
    totals = Array(repeating: 0, count: devices)
  }

  /// The primary of each neuron of the next layer.
  ///
  /// - Parameter holders: by neuron, at least one device.
  mutating func choose(_ holders: [[Int]]) -> [Int] {
    var state = Choice(holders: holders, devices: devices)
    // Those with the least choice first.
    let order = holders.indices.sorted { (holders[$0].count, $0) < (holders[$1].count, $1) }
    for neuron in order {
      let device = holders[neuron].min {
        (state.loads[$0], totals[$0] + state.loads[$0], $0)
          < (state.loads[$1], totals[$1] + state.loads[$1], $1)
      }
      state.assign(neuron, to: device ?? 0)
    }
    while let chain = state.chain(totals: totals) { state.follow(chain) }
    for device in 0..<devices { totals[device] += state.loads[device] }
    return state.primaries
  }
}

private struct Choice {
  let holders: [[Int]]
  var primaries: [Int]
  var loads: [Int]
  /// How many neurons computed by one device (first index) could be handed to another.
  private var movable: [[Int]]

  init(holders: [[Int]], devices: Int) {
    self.holders = holders
    primaries = Array(repeating: -1, count: holders.count)
    loads = Array(repeating: 0, count: devices)
    movable = Array(repeating: Array(repeating: 0, count: devices), count: devices)
  }

  mutating func assign(_ neuron: Int, to device: Int) {
    let before = primaries[neuron]
    if before >= 0 {
      loads[before] -= 1
      for other in holders[neuron] { movable[before][other] -= 1 }
    }
    primaries[neuron] = device
    loads[device] += 1
    for other in holders[neuron] { movable[device][other] += 1 }
  }

  /// Hands one neuron along each link.
  mutating func follow(_ chain: [Int]) {
    for (from, to) in zip(chain, chain.dropFirst()) {
      let neuron = primaries.indices.first { primaries[$0] == from && holders[$0].contains(to) }
      if let neuron { assign(neuron, to: to) }
    }
  }

  /// Devices along which handing on neurons improves the balance; nil if it is as good as it gets.
  func chain(totals: [Int]) -> [Int]? {
    let overall = loads.indices.map { totals[$0] + loads[$0] }
    let heaviest = loads.indices.sorted {
      (loads[$1], overall[$1], $0) < (loads[$0], overall[$0], $1)
    }
    for source in heaviest {
      var previous: [Int?] = Array(repeating: nil, count: loads.count)
      previous[source] = source
      var queue = [source]
      var head = 0
      while head < queue.count {
        let device = queue[head]
        head += 1
        let lighter = loads[source] - loads[device]
        if lighter >= 2 || (lighter == 1 && overall[source] - overall[device] >= 2) {
          return path(to: device, previous)
        }
        for next in loads.indices where previous[next] == nil && movable[device][next] > 0 {
          previous[next] = device
          queue.append(next)
        }
      }
    }
    return nil
  }

  private func path(to end: Int, _ previous: [Int?]) -> [Int] {
    var path = [end]
    while let before = previous[path[0]], before != path[0] { path.insert(before, at: 0) }
    return path
  }
}
