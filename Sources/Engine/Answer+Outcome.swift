import Foundations
import Plan
package import Resilience
import WireProtocol

extension Answer {
  /// The answer that a frame has come to.
  package init(
    _ outcome: ClientCore.Outcome, ticket: Int, attempts: Int, latencyNanoseconds: UInt64,
    study: FailureTable?, guessSeed: UInt64
  ) {
    let plan = outcome.engine.plan
    let roles = outcome.roles
    let missing = Answer.missing(outcome.fills, of: plan, attendance: roles)
    let fills = Answer.fills(outcome.fills, of: plan, attendance: roles)
    let guess = outcome.isNull ? plan.guessedAnswer(seed: guessSeed, frame: UInt64(ticket)) : nil
    let isPresent = plan.devices.indices.map { !missing.contains($0) }
    // One is as good as all where each answers alone.
    let isStudied = plan.dispatchesFrames ? isPresent.map { _ in true } : isPresent
    let moment = Answer.moment(outcome.fills, attendance: roles)
    self.init(
      ticket: ticket, frame: outcome.key.frame,
      outputs: guess?.outputs ?? outcome.engine.outputs(of: outcome.execution),
      guess: guess?.label,
      fills: fills,
      attendance: roles, awaited: outcome.awaited, report: outcome.fills,
      devices: plan.devices.map(\.name),
      present: zip(plan.devices, isPresent).compactMap { $1 ? $0.name : nil },
      expectedAccuracy: study?.expectedAccuracy(alive: isStudied, at: moment)?.accuracy,
      reliability: Reliability(
        isComplete: fills.isEmpty && !outcome.isNull, alive: isPresent, study: study,
        at: moment),
      latency: .nanoseconds(Int64(clamping: latencyNanoseconds)), attempts: attempts)
  }
}
