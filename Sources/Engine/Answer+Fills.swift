import Plan
import WireProtocol

extension Answer {
  /// The devices of which something was missing, or that were not counted on. One that says it had
  /// nothing to compute from is there.
  static func missing(_ report: FillReport, of plan: Plan, attendance: Attendance) -> Set<Int> {
    Set(report.all.filter { $0.reason != .null }.map(\.device)).union(
      plan.devices.indices.filter { !attendance.awaits($0) })
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
