import Engine
import Foundations
import ModelCards
import Runtime
import Tables

/// Feeds a client with numbered frames, a few at a time, and hands out the answers.
struct FrameStream {
  let count: Int
  /// Frames under way at once; nil for as many as the client finds worth it.
  let inFlight: Int?
  /// How long the last `run` took.
  private(set) var seconds = 0.0

  init(count: Int, inFlight: Int?) {
    self.count = count
    self.inFlight = inFlight
  }

  /// - Parameters:
  ///   - load: the input of a frame; nil for one that is left out.
  ///   - origin: what is known of a frame.
  ///   - answered: called with each frame's number and answer, in the order of the answers.
  mutating func run(
    client: InferenceClient, load: (Int) throws -> FrameInput?, origin: (Int) -> FrameOrigin,
    answered: (Int, Answer) throws -> Void
  ) throws {
    let clock = ContinuousClock()
    let start = clock.now
    defer { seconds = (clock.now - start).inMilliseconds / 1e3 }
    var indices: [Int: Int] = [:]
    var next = 0
    while next < count || client.framesInFlight > 0 {
      while next < count, inFlight.map({ client.framesInFlight < $0 }) ?? client.hasRoom() {
        if let input = try load(next) {
          indices[try client.submit(input, origin: origin(next))] = next
        }
        next += 1
      }
      guard client.framesInFlight > 0 else { continue }
      let answer = try client.next()
      if let index = indices.removeValue(forKey: answer.ticket) { try answered(index, answer) }
    }
  }
}
