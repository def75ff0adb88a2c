import Engine
import Foundations
import Testing
import WireProtocol

/// Which device gets which frame, with devices that take a given time for each.
@Suite struct FrameDispatchTests {
  /// Devices that work through their frames one after the other.
  private struct Fleet {
    var dispatch: FrameDispatch
    /// Milliseconds that a frame takes, by device.
    var times: [UInt64]
    var now = MonotonicTime(nanoseconds: 1_000_000_000)
    var counts: [Int]
    private var free: [MonotonicTime]
    private var underWay: [(end: MonotonicTime, key: FrameKey, device: Int)] = []

    init(_ times: [UInt64], frameLimit: UInt64 = 5_000_000_000) {
      dispatch = FrameDispatch(devices: times.count, frameLimit: frameLimit)
      self.times = times
      counts = times.map { _ in 0 }
      free = times.map { _ in .zero }
    }

    /// Sends a frame if any device is to have one.
    mutating func send() -> Int? {
      guard let device = dispatch.choose(among: times.map { _ in true }) else { return nil }
      counts[device] += 1
      let key = FrameKey(client: "cam", frame: UInt64(counts.reduce(0, +)))
      dispatch.began(key, on: device, at: now)
      free[device] = max(free[device], now).adding(milliseconds: times[device])
      underWay.append((free[device], key, device))
      return device
    }

    /// Lets frames be answered, with `window` under way all the time.
    mutating func run(_ frames: Int, window: Int) {
      for _ in 0..<frames {
        while underWay.count < window, send() != nil {}
        guard let next = underWay.indices.min(by: { underWay[$0].end < underWay[$1].end }) else {
          return
        }
        let frame = underWay.remove(at: next)
        now = frame.end
        dispatch.answered(frame.key, by: frame.device, at: now)
      }
    }
  }

  private func at(_ milliseconds: UInt64) -> MonotonicTime {
    MonotonicTime.zero.adding(milliseconds: milliseconds)
  }

  @Test(arguments: [4, 8, 16])
  func equalDevicesGetEqualShares(_ window: Int) {
    var fleet = Fleet([10, 10, 10, 10])
    fleet.run(400, window: window)
    #expect((fleet.counts.max() ?? 0) - (fleet.counts.min() ?? 0) <= 2, "\(fleet.counts)")
    // All are busy all the time.
    #expect(fleet.now < at(1000 + 1020))
  }

  @Test func slowDevicesGetFewerFrames() {
    var fleet = Fleet([10, 20, 40])
    fleet.run(700, window: 8)
    for (count, due) in zip(fleet.counts, [400.0, 200, 100]) {
      #expect(abs(Double(count) - due) < 0.1 * due + 8, "\(fleet.counts)")
    }
  }

  @Test func aSingleFrameMostlyGoesToTheFastest() {
    var fleet = Fleet([40, 10, 400])
    fleet.run(400, window: 1)
    #expect(fleet.counts[1] > 320 && fleet.counts[2] < 20, "\(fleet.counts)")
    // Whoever was slow is tried again: it may not be any more.
    #expect(fleet.counts.allSatisfy { $0 > 1 })
    fleet.times = [40, 40, 5]
    fleet.counts = [0, 0, 0]
    fleet.run(400, window: 1)
    #expect(fleet.counts[2] > 200, "\(fleet.counts)")
  }

  @Test func nobodyGetsMoreThanItAnswersInHalfOfTheLimit() {
    var dispatch = FrameDispatch(devices: 2, frameLimit: 1_000_000_000)
    func key(_ frame: UInt64) -> FrameKey { FrameKey(client: "cam", frame: frame) }
    // Of devices that have not answered yet nothing is known, and two frames are enough.
    var chosen: [Int] = []
    for frame in UInt64(1)...4 {
      guard let device = dispatch.choose(among: [true, true]) else { break }
      dispatch.began(key(frame), on: device, at: at(0))
      chosen.append(device)
    }
    #expect(chosen == [0, 1, 0, 1])
    #expect(dispatch.choose(among: [true, true]) == nil)
    #expect(dispatch.choose(among: [true, true], isUrgent: true) == 0)
    // The first takes 100 ms each, so that five are half a second; the other stays unknown.
    dispatch.answered(key(1), by: 0, at: at(100))
    dispatch.answered(key(3), by: 0, at: at(200))
    var more = 0
    while let device = dispatch.choose(among: [true, true]) {
      #expect(device == 0)
      more += 1
      dispatch.began(key(UInt64(10 + more)), on: device, at: at(200))
    }
    #expect(more == 5)
    #expect(dispatch.choose(among: [false, false], isUrgent: true) == nil)
  }

  @Test func beforeAnythingIsMeasuredTheShorterQueueIsChosen() {
    var dispatch = FrameDispatch(devices: 3, frameLimit: 5_000_000_000)
    dispatch.told(4, by: 0)
    dispatch.told(1, by: 1)
    dispatch.told(2, by: 2)
    #expect(dispatch.choose(among: [true, true, true]) == 1)
    #expect(dispatch.choose(among: [true, false, true]) == 2)
  }

  /// A frame that was given up, and answered late all the same, tells how slow its device is.
  @Test func aLateAnswerIsMeasured() {
    var dispatch = FrameDispatch(devices: 2, frameLimit: 5_000_000_000)
    func key(_ frame: UInt64) -> FrameKey { FrameKey(client: "cam", frame: frame) }
    dispatch.began(key(1), on: 0, at: at(0))
    dispatch.began(key(2), on: 1, at: at(0))
    dispatch.answered(key(2), by: 1, at: at(50))
    dispatch.ended(key(1))
    // Unknown: as good as the best that is known.
    #expect(dispatch.choose(among: [true, true]) == 0)
    dispatch.answered(key(1), by: 0, at: at(7000))
    #expect(dispatch.choose(among: [true, true]) == 1)
  }

  @Test func suspectsAreTriedLessAndLessOften() {
    var dispatch = FrameDispatch(devices: 3, frameLimit: 5_000_000_000)
    var tried: [UInt64] = []
    for second in UInt64(0)...100 {
      if let device = dispatch.probe([false, true, false], at: at(1000 * second)) {
        #expect(device == 1)
        tried.append(second)
      }
    }
    #expect(tried == [1, 3, 7, 15, 31, 61, 91])
    // It was well in between.
    #expect(dispatch.probe([false, false, false], at: at(101_000)) == nil)
    #expect(dispatch.probe([false, true, false], at: at(102_000)) == nil)
    #expect(dispatch.probe([false, true, false], at: at(103_000)) == 1)
  }
}
