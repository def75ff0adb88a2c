/// Counts frames: each one submitted must be answered exactly once, or refused with a status.
package struct FrameLedger: Sendable, Equatable {
  /// Frames given to the client.
  package private(set) var submitted = 0
  /// Frames answered.
  package private(set) var answered = 0
  /// Frames refused, by status.
  package private(set) var refused: [String: Int] = [:]
  /// Answers to frames that were not open: answered before or never submitted.
  package private(set) var surplus = 0
  private var open: Set<Int> = []

  /// Nothing submitted.
  package init() {}

  /// Frames that wait for their answer.
  package var waiting: Int { open.count }

  /// A frame was accepted under this ticket.
  package mutating func submit(_ ticket: Int) {
    submitted += 1
    if !open.insert(ticket).inserted { surplus += 1 }
  }

  /// A frame was not accepted.
  package mutating func refuse(status: String) {
    submitted += 1
    refused[status, default: 0] += 1
  }

  /// A frame was answered.
  package mutating func answer(_ ticket: Int) {
    guard open.remove(ticket) != nil else {
      surplus += 1
      return
    }
    answered += 1
  }

  /// Adds another client's frames.
  package mutating func add(_ other: FrameLedger) {
    submitted += other.submitted
    answered += other.answered
    refused.merge(other.refused, uniquingKeysWith: +)
    surplus += other.surplus
    unanswered += other.waiting + other.unanswered
  }

  /// Open frames of clients that were added.
  private var unanswered = 0

  /// What is wrong once nothing is under way any more.
  package var failures: [String] {
    var failures: [String] = []
    let lost = waiting + unanswered
    if lost > 0 { failures.append("\(lost) frames were never answered") }
    if surplus > 0 { failures.append("\(surplus) answers to frames that were not open") }
    return failures
  }
}
