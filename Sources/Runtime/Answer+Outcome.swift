import Plan
import Resilience
import TensorCore
import WireProtocol

extension Answer {
  /// The answer that a frame has come to.
  init(
    _ outcome: ClientCore.Outcome, ticket: Int, attempts: Int, latencyNanoseconds: UInt64,
    study: FailureTable?, guessSeed: UInt64
  ) {
    let plan = outcome.engine.plan
    let names = plan.devices.map(\.name) + ["client"]
    let roles = outcome.roles
    let byPart = outcome.fills.byPart
    let absent = plan.devices.indices.filter { !roles.awaits($0) }
    // A device that says it had nothing to compute from is there.
    let missing = Set(outcome.fills.all.filter { $0.reason != .null }.map(\.device)).union(absent)
    let fills = byPart.map { part, fills in
      Fill(
        layer: plan.exchanges[part.exchange].id, device: names[part.device],
        reason: (MissingReason.allCases.first { reason in
          fills.contains { $0.reason == reason }
        } ?? .lost).rawValue,
        filledBy: fills.map(\.receiver).sorted().map { names[$0] },
        neurons: plan.neurons(
          of: part.exchange, from: part.device, attendance: roles, missing: missing))
    }
    let guess = outcome.isNull ? plan.guessedAnswer(seed: guessSeed, frame: UInt64(ticket)) : nil
    let isPresent = plan.devices.indices.map { !missing.contains($0) }
    self.init(
      ticket: ticket, frame: outcome.key.frame,
      outputs: guess?.outputs ?? outcome.engine.outputs(of: outcome.execution),
      guess: guess?.label,
      fills: fills.sorted { ($0.layer, $0.device) < ($1.layer, $1.device) },
      attendance: roles, report: outcome.fills,
      devices: plan.devices.map(\.name),
      present: zip(plan.devices, isPresent).compactMap { $1 ? $0.name : nil },
      expectedAccuracy: study?.expectedAccuracy(alive: isPresent)?.accuracy,
      reliability: Reliability(
        isComplete: fills.isEmpty && !outcome.isNull, alive: isPresent, study: study),
      latency: .nanoseconds(Int64(clamping: latencyNanoseconds)), attempts: attempts)
  }
}
