import ModelGraph
import Tensors

/// Which rows of each divided value every device has in frames with one attendance.
struct StripLayout {
  /// Who takes how many rows.
  enum Owners: Hashable {
    /// Each device takes rows in proportion to its share.
    case shares([Double])
    /// Each device takes all of them: to find what it may ever need.
    case everybodyAll
  }

  private let owners: Owners
  private let graph: Graph
  private let strips: Strips
  /// By device, the shares of those before it together, and of all at the end; empty where everybody takes all.
  private let sharesBefore: [Double]
  /// By device, the rows that it computes.
  private var computed: [[ValueID: Range<Int>]] = []
  /// By device, the rows that it reads; of inputs as well.
  private var needed: [[ValueID: Range<Int>]] = []

  /// - Parameter gathered: values that somebody reads in full.
  init(_ graph: Graph, _ strips: Strips, gathered: Set<ValueID>, devices: Int, owners: Owners) {
    self.graph = graph
    self.strips = strips
    self.owners = owners
    sharesBefore =
      if case .shares(let shares) = owners {
        shares.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
      } else {
        []
      }
    for device in 0..<devices {
      var (computed, needed): ([ValueID: Range<Int>], [ValueID: Range<Int>]) = ([:], [:])
      for index in strips.nodes.reversed() {
        let node = graph.nodes[index]
        if strips.sums.contains(index) {
          let value = node.inputs[0]
          needed[value] = (needed[value] ?? 0..<0).hull(owned(value, by: device))
          continue
        }
        guard let axis = strips.axes[node.output],
          let rule = RowRule(node, axis: axis, graph: graph)
        else { continue }
        let isSent = strips.halos.contains(node.output) || gathered.contains(node.output)
        let rows = isSent ? owned(node.output, by: device) : needed[node.output] ?? 0..<0
        computed[node.output] = rows
        guard !rows.isEmpty else { continue }
        for (value, operand) in zip(node.inputs, rule.operands) {
          guard case .rows(_, let reach) = operand else { continue }
          needed[value] = (needed[value] ?? 0..<0).hull(reach.operand(rows))
        }
      }
      self.computed.append(computed)
      self.needed.append(needed)
    }
  }

  /// The rows of a value that a device computes and nobody else does, if it is sent.
  ///
  /// Boundaries lie where the shares say for any height, so that strips of values of different heights
  /// lie above each other.
  func owned(_ value: ValueID, by device: Int) -> Range<Int> {
    guard let axis = strips.axes[value] else { return 0..<0 }
    let height = graph[value].shape[axis]
    switch owners {
    case .everybodyAll: return 0..<height
    case .shares:
      guard let total = sharesBefore.last, total > 0 else { return 0..<0 }
      func boundary(_ device: Int) -> Int {
        Int((Double(height) * sharesBefore[device] / total).rounded())
      }
      return boundary(device)..<boundary(device + 1)
    }
  }

  /// The rows of a value that a device computes.
  func computed(_ value: ValueID, by device: Int) -> Range<Int> { computed[device][value] ?? 0..<0 }

  /// The rows of a value that a device reads, from the first to the last.
  func needed(_ value: ValueID, by device: Int) -> Range<Int> { needed[device][value] ?? 0..<0 }

  /// The rows that a device sends another one of a value whose halo is sent: what that one reads and
  /// does not have.
  func halo(_ value: ValueID, from device: Int, to reader: Int) -> Range<Int> {
    guard device != reader, lacks(value, reader) else { return 0..<0 }
    return owned(value, by: device).clamped(to: needed(value, by: reader))
  }

  /// Whether a device reads rows of a value that others own.
  func lacks(_ value: ValueID, _ reader: Int) -> Bool {
    let rows = needed(value, by: reader)
    return !rows.isEmpty && rows.clamped(to: owned(value, by: reader)) != rows
  }
}

extension Range<Int> {
  /// The least range that has both; an empty one has nothing.
  fileprivate func hull(_ other: Range<Int>) -> Range<Int> {
    if isEmpty { return other }
    if other.isEmpty { return self }
    return Swift.min(lowerBound, other.lowerBound)..<Swift.max(upperBound, other.upperBound)
  }
}

extension StripLayout.Owners {
  /// In a frame, those take rows who are counted on.
  ///
  /// - Parameter shares: by device.
  init(_ attendance: Attendance, shares: [Double]) {
    for isIn: (Attendance.Role) -> Bool in [{ $0 == .awaited }, { $0 != .absent }, { _ in true }] {
      let members = attendance.roles.map(isIn)
      let mine = zip(shares, members).map { $1 ? $0 : 0 }
      if mine.contains(where: { $0 > 0 }) {
        self = .shares(mine)
        return
      }
      if members.contains(true) {
        self = .shares(members.map { $0 ? 1 : 0 })
        return
      }
    }
    self = .shares(shares)
  }
}
