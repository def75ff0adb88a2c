/// Orders the replicas of neurons so that whatever device is lost, its neurons fall to the others in
/// equal numbers, and again when the first stand-ins are lost too.
///
/// Greedy: each next stand-in of a neuron is the candidate that has taken over the fewest neurons so
/// far from exactly the devices that have to be lost before it is its turn.
struct StandIns {
  private let devices: Int
  /// By the devices that are lost (ascending), neurons taken over by device.
  private var loads: [[Int]: [Int]] = [:]
  /// Sets of lost devices for which loads are kept; beyond, candidates follow in cyclic order.
  private let depth = 3

  init(devices: Int) { self.devices = devices }

  /// The candidates in the order in which they stand in for one neuron.
  ///
  /// - Parameters:
  ///   - candidates: devices; `primary` among them is passed over.
  ///   - limit: how many to choose.
  mutating func order(of candidates: [Int], behind primary: Int, limit: Int = .max) -> [Int] {
    var remaining = candidates.filter { $0 != primary }
    var lost = [primary]
    while lost.count - 1 < limit, !remaining.isEmpty {
      // Ties go to the next device after the one that is lost last, in cyclic order.
      let origin = lost[lost.count - 1]
      let distance = { [devices] (device: Int) in (device - origin + devices) % devices }
      let next: Int
      if lost.count <= depth {
        let key = lost.sorted()
        let load = loads[key] ?? [Int](repeating: 0, count: devices)
        next = remaining.min { (load[$0], distance($0)) < (load[$1], distance($1)) } ?? 0
        loads[key, default: load][next] += 1
      } else {
        next = remaining.min { distance($0) < distance($1) } ?? 0
      }
      lost.append(next)
      remaining.removeAll { $0 == next }
    }
    return Array(lost.dropFirst())
  }
}
