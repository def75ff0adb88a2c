import Foundations
import ModelGraph
import Plan
import Tensors
import WireProtocol

/// What is on its way although it takes long.
extension PeerCore {
  /// A message without its elements has no more bytes than this, but for long notes.
  private static let headerBytes = 1024

  /// More than all devices together move for one frame, in bytes: every value that is exchanged, to everybody,
  /// and there and back.
  static func bytes(ofFrames plan: Plan) -> UInt64 {
    let shapes =
      plan.exchanges.map(\.shape) + plan.graph.inputs.map { plan.graph[$0].shape }
    let elements = shapes.reduce(0) { $0 + UInt64($1.count) }
    let messages = 1 + plan.exchanges.reduce(0) { $0 + $1.senders.count }
    let bytes =
      elements * UInt64(ElementType.float32.size) + UInt64(messages * Self.headerBytes)
    return 2 * bytes * UInt64(plan.devices.count + 1)
  }

  /// Whether what moved since all that had moved was `mark` may be for the frames that are under way here:
  /// not if it is more than these need. Traffic of others must not hold a frame whose part is lost.
  func mayConcern(since mark: UInt64) -> Bool {
    arrivals.movement.mayConcern(frameBytes * UInt64(max(tasks.count, 1)), since: mark)
  }

  /// A frame waits on for what is on its way.
  ///
  /// - Parameter awaited: the devices that it waits for.
  func followMovement(_ task: FrameTask, awaited: Set<Int>, now: MonotonicTime) {
    let movement = arrivals.movement
    // Who hears late learns late that somebody else is gone.
    let slack = awaited.map { liveness.slack(of: names[$0], at: now) }.max() ?? 0
    guard movement.count != task.knownMovement || slack > 0 else { return }
    task.knownMovement = movement.count
    guard let last = movement.last, mayConcern(since: task.movedBefore) else { return }
    task.boundary.extendWaits(
      own: { movement.last(of: $0) }, all: last, isBehind: liveness.isBehind, slack: slack)
  }

  /// A peer is heard. If it had been given up for its silence over a slow link, frames under way count on it
  /// again: they take long, and what it sends for them is to come.
  func comesBack(_ number: Int, now: MonotonicTime) {
    guard liveness.isSlow(at: now), isTrusted(number, at: now),
      let epoch = liveness.epoch(of: names[number])
    else { return }
    for task in tasks { task.boundary.deviceBack(number, epoch: epoch) }
  }
}
