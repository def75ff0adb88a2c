package import Plan
import Resilience
package import WireProtocol

extension Answer {
  /// The devices of which something was missing, or that were not counted on. One that says it had
  /// nothing to compute from is there.
  static func missing(_ report: FillReport, of plan: Plan, attendance: Attendance) -> Set<Int> {
    Set(report.all.filter { $0.reason != .null }.map(\.device)).union(
      plan.devices.indices.filter { !attendance.awaits($0) })
  }

  /// Whether a report is of frames that knew who was missing, or of one in which devices were lost.
  static func moment(_ report: FillReport, attendance: Attendance) -> FailureTable.Moment {
    let isSurprised = report.all.contains {
      $0.reason != .null && attendance.awaits($0.device)
    }
    return isSurprised ? .loss(attendance.replicas) : .later
  }

  /// What a report says was filled, in words, ordered by layer and device.
  static func fills(_ report: FillReport, of plan: Plan, attendance: Attendance) -> [FilledPart] {
    let names = plan.devices.map(\.name) + ["client"]
    let missing = missing(report, of: plan, attendance: attendance)
    let fills = report.byPart.map { part, fills in
      FilledPart(
        layer: plan.exchanges[part.exchange].id, device: names[part.device],
        reason: (MissingReason.allCases.first { reason in
          fills.contains { $0.reason == reason }
        } ?? .lost).rawValue,
        filledBy: fills.map(\.receiver).sorted().map { names[$0] },
        neurons: plan.neurons(
          of: part.exchange, from: part.device, attendance: attendance, missing: missing))
    }
    return fills.sorted { ($0.layer, $0.device) < ($1.layer, $1.device) }
  }
}

extension FillReport {
  /// Neurons that somebody went on without, over all layers: of each layer as many as the exchange
  /// lacks that lacks the most. Rows are of neurons that others have as well, and do not count.
  package func lostNeurons(of plan: Plan, attendance: Attendance) -> Int {
    let missing = Answer.missing(self, of: plan, attendance: attendance)
    var byExchange: [Int: Int] = [:]
    for (part, lacks) in byPart where lacks.contains(where: { $0.reason != .null }) {
      guard plan.exchanges[part.exchange].layer != nil else { continue }
      byExchange[part.exchange, default: 0] += plan.neurons(
        of: part.exchange, from: part.device, attendance: attendance, missing: missing)
    }
    var byLayer: [Int: Int] = [:]
    for (exchange, count) in byExchange {
      guard let layer = plan.exchanges[exchange].layer else { continue }
      byLayer[layer] = max(byLayer[layer] ?? 0, count)
    }
    return byLayer.values.reduce(0, +)
  }
}
