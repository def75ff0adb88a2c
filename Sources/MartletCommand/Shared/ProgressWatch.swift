import Foundations
import Tables

/// A line of progress with the time that is left.
struct ProgressWatch: Sendable {
  private let what: String
  private let total: Int
  private let note: String
  private let start = ContinuousClock.now

  init(_ what: String, total: Int, note: String = "") {
    self.what = what
    self.total = total
    self.note = note
    Terminal.progress("\(what) 0 of \(total)\(note)")
  }

  func show(_ done: Int) {
    let seconds = (ContinuousClock.now - start).inMilliseconds / 1e3
    let left = seconds / Double(max(done, 1)) * Double(total - done)
    Terminal.progress("\(what) \(done) of \(total)\(note), \(left.formatted(0)) s left")
  }
}
