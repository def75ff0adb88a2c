/// Distribution of groups over devices (RobustDiCE, Algorithm 1, step 3).
///
/// A group is padded with replicas of its members, the first ones first and again from the start if
/// it is smaller than the padding, until its size is a multiple of the number of devices; then copies
/// go to the devices in turn. Line 28 of the paper, r = (j mod ND) + 1 with j from 1, begins at the
/// second device (`paper`); `literal`, which came first here, begins at the first. Which device is
/// called the first makes no difference to what a plan is worth. No device gets two copies of a neuron: copies of one neuron are a
/// multiple of the group's size g apart, so on one device only if they are lcm(g, ND) apart, and the
/// padded list is no longer than that.
package struct RoundRobin: Sendable, Hashable {
  /// Begin each group at the device after that where the group before began. Otherwise the first
  /// device has the first member of every group, and is worth more than the others.
  package var rotates: Bool
  /// The device at which the first group begins, counted from 0, modulo the number of devices.
  package var first: Int
  /// Replicate the most important members of a group instead of the first ones.
  package var replicatesMostImportant: Bool

  /// The paper's method, but for the device at which it begins, unless told otherwise.
  package init(rotates: Bool = false, first: Int = 0, replicatesMostImportant: Bool = false) {
    self.rotates = rotates
    self.first = first
    self.replicatesMostImportant = replicatesMostImportant
  }

  /// The paper's lines with every group beginning at the first device.
  package static let literal = RoundRobin()
  /// As the paper has it: every group begins at the second device.
  package static let paper = RoundRobin(first: 1)
  /// Every device worth the same, and replicas where they count.
  package static let balanced = RoundRobin(rotates: true, replicatesMostImportant: true)

  /// The devices of each member of one group; a member's original copy first.
  ///
  /// - Parameters:
  ///   - importance: by member.
  ///   - start: the device of the first copy.
  func devices(importance: [Double], devices: Int, start: Int) -> [[Int]] {
    let size = importance.count
    let padding = (devices - size % devices) % devices
    var result = (0..<size).map { [($0 + start) % devices] }
    let free = (size..<(size + padding)).map { ($0 + start) % devices }
    let order =
      replicatesMostImportant
      ? Placing.descending(importance, count: size) : Array(0..<size)
    if replicatesMostImportant && size > devices {
      for (member, device) in Self.match(order, free, held: result) {
        result[member].append(device)
      }
    } else {
      for (number, device) in free.enumerated() { result[order[number % size]].append(device) }
    }
    return result
  }

  /// Gives each free device one member that it does not have, no member twice. Members are taken in
  /// the order given; one is passed over only if there is no room for it beside those before, which
  /// augmenting paths decide. Everybody finds one: a device lacks at least as many members as there
  /// are free devices.
  private static func match(
    _ order: [Int], _ free: [Int], held: [[Int]]
  ) -> [(member: Int, device: Int)] {
    var takers = [Int?](repeating: nil, count: free.count)
    func place(_ member: Int, _ seen: inout Set<Int>) -> Bool {
      for index in free.indices
      where !held[member].contains(free[index]) && seen.insert(index).inserted {
        if let other = takers[index], !place(other, &seen) { continue }
        takers[index] = member
        return true
      }
      return false
    }
    for member in order where takers.contains(nil) {
      var seen = Set<Int>()
      _ = place(member, &seen)
    }
    return zip(takers, free).compactMap { member, device in member.map { ($0, device) } }
  }
}
