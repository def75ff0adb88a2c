import Engine
import Foundations
import WireProtocol

/// Three devices, one frame and its boundary, for tests of what is waited for.
protocol BoundaryScene {}

extension BoundaryScene {
  var start: MonotonicTime { MonotonicTime(nanoseconds: 1_000_000_000) }
  var key: FrameKey { FrameKey(client: "cam", frame: 7) }

  func after(_ milliseconds: UInt64) -> MonotonicTime {
    start.adding(milliseconds: milliseconds)
  }

  func book(_ policy: DeadlinePolicy = .fixed(.milliseconds(20))) -> ArrivalBook {
    ArrivalBook(policy: policy, devices: 3)
  }

  func boundary(
    _ waiting: Boundary.WaitStart = .ownPart, devices: [GatherState.Device]? = nil
  ) -> Boundary {
    Boundary(
      key: key, waiting: waiting, devices: devices ?? Array(repeating: .init(epoch: 5), count: 3),
      now: start)
  }

  /// Three devices with a slot of two elements each.
  func expectation(_ number: Int, stage: Int? = nil, isWhole: Bool = false)
    -> Boundary.Expectation
  {
    Boundary.Expectation(
      number: number, stage: stage ?? number, isWhole: isWhole,
      slots: (0..<3).map { .init(elements: 2, candidates: [$0]) },
      parts: (0..<3).map { .init(device: $0, elements: 2, pieces: [.init(slot: $0, elements: 2)]) })
  }

  func progress(_ boundary: inout Boundary, _ now: MonotonicTime) -> Boundary.Progress {
    boundary.progress(now: now, isFree: { _, _ in false })
  }

  @discardableResult
  func receive(
    _ boundary: inout Boundary, from device: Int, elements: Int = 2, epoch: UInt64 = 5,
    at now: MonotonicTime, _ book: ArrivalBook
  ) -> Boundary.Receipt {
    boundary.receive(0, from: device, epoch: epoch, elements: elements, now: now, book: book)
  }
}
