import Engine
import Foundations
import MQTT
import Resilience
import WireProtocol

/// How frames end: with one answer each, which may be asked for again before.
extension InferenceClient {
  /// The end of a frame: its one answer.
  func deliver(_ answer: Answer) -> Answer {
    let frame = outstanding.removeValue(forKey: answer.ticket)
    retries.forget(answer.ticket)
    var answer = answer
    answer.attempts = frame?.attempts ?? answer.attempts
    if let frame {
      answer.latency = .nanoseconds(
        Int64(clamping: MonotonicTime.now().nanoseconds(since: frame.submitted)))
    }
    window.answered(latency: answer.latency.nanoseconds, at: .now())
    answer.refusal = configuration.policy.refusal(of: answer)
    answer.result = publishResult(answer, frame?.origin ?? FrameOrigin())
    return answer
  }

  /// Nobody answered a frame at all: it ends with what it had before, or is sent again.
  func bearSilence(_ ticket: Int, _ frame: Outstanding) throws(MartletError) -> Answer? {
    if frame.end <= .now() {
      if let answer = frame.answer { return deliver(answer) }
      outstanding[ticket] = nil
      return nil
    }
    return try sendAgain(ticket, frame)
  }

  /// Sends a frame again. One that is given up is no longer waited for; if it has an answer that was
  /// to be bettered, that is it.
  private func sendAgain(_ ticket: Int, _ frame: Outstanding) throws(MartletError) -> Answer? {
    do {
      try checkPatience(frame)
      outstanding[ticket]?.progress.begins(
        moved: core.moved, movement: core.lastMovement(since: frame.progress.mark))
      try send(ticket)
      return nil
    } catch {
      if let answer = frame.answer, !isStopped { return deliver(answer) }
      outstanding[ticket] = nil
      retries.forget(ticket)
      throw error
    }
  }

  // MARK: Answers that are not good enough

  /// Sends again what is due; a frame that has waited long enough gets the answer that it has.
  func askAgain() throws(MartletError) -> Answer? {
    guard retries.isWaiting else { return nil }
    let now = MonotonicTime.now()
    if let ticket = retries.takeExpired(now: now), let answer = outstanding[ticket]?.answer {
      return deliver(answer)
    }
    for ticket in retries.takeDue(now: now, isEnough: isEnoughThere) {
      guard let frame = outstanding[ticket] else { continue }
      if let answer = try sendAgain(ticket, frame) { return answer }
    }
    return nil
  }

  /// Whether the devices that are alive would answer well enough.
  var isEnoughThere: Bool {
    guard retries.isWaiting else { return false }
    let alive = core.states(now: .now()).map { $0 == .alive }
    return configuration.policy.isSatisfied(
      by: Reliability(of: core.plan, alive: alive, study: configuration.study))
  }

  func retryEnd(_ frame: Outstanding) -> MonotonicTime {
    min(frame.end, frame.submitted.adding(nanoseconds: configuration.patience.nanoseconds))
  }
}
