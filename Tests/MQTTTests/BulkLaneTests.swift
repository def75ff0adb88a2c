import Foundations
import MQTT
import Testing

/// What waits so that heartbeats need not.
@Suite struct BulkLaneTests {
  private func at(_ milliseconds: UInt64) -> MonotonicTime {
    MonotonicTime.zero.adding(milliseconds: milliseconds)
  }

  private func message(_ number: Int, bytes: Int) -> MQTTMessage {
    MQTTMessage(topic: "t/\(number)", payload: Array(repeating: 7, count: bytes))
  }

  @Test func theLibraryGetsFewAtATime() {
    var lane = BulkLane()
    for number in 0..<200 {
      lane.accept()
      lane.append(message(number, bytes: 10_000))
    }
    var taken: [String] = []
    var underWay = 0
    while !lane.isEmpty || underWay > 0 {
      while let next = lane.next() {
        #expect(next.payload.count == 10_000)
        lane.waits(next.payload.count, at: at(0))
        taken.append(next.topic)
        underWay += 1
      }
      // One is written while another waits.
      #expect(underWay <= 2)
      lane.wrote(10_000, waited: true, at: at(1))
      underWay -= 1
    }
    #expect(taken == (0..<200).map { "t/\($0)" })
    #expect(lane.accepted == 200 && lane.finished == 200 && lane.bytesWritten == 2_000_000)
  }

  /// A message larger than the window goes alone.
  @Test func aLargeMessageIsNotHeldForEver() {
    var lane = BulkLane()
    lane.append(message(0, bytes: 1 << 20))
    lane.append(message(1, bytes: 10))
    let first = lane.next()
    #expect(first?.payload.count == 1 << 20)
    lane.waits(1 << 20, at: at(0))
    #expect(!lane.isOpen && lane.next() == nil)
    lane.wrote(1 << 20, waited: true, at: at(900))
    let second = lane.next()
    #expect(second?.topic == "t/1")
  }

  @Test func nothingWaitsOnAConnectionThatTakesAll() {
    var lane = BulkLane()
    for _ in 0..<10 {
      lane.accept()
      lane.wrote(300_000, waited: false, at: at(1))
      #expect(lane.isOpen && lane.isEmpty)
    }
    #expect(lane.finished == 10 && lane.rate.bytesPerSecond == nil)
  }

  @Test func whatIsLostDoesNotWait() {
    var lane = BulkLane()
    for number in 0..<3 {
      lane.accept()
      lane.append(message(number, bytes: 20_000))
    }
    _ = lane.next()
    lane.waits(20_000, at: at(0))
    let lost = lane.drop()
    #expect(lost.map(\.topic) == ["t/1", "t/2"])
    #expect(lane.isEmpty && lane.isOpen && lane.finished == 3 && lane.count == 0)
  }
}

@Suite struct DrainRateTests {
  private func at(_ milliseconds: UInt64) -> MonotonicTime {
    MonotonicTime.zero.adding(milliseconds: milliseconds)
  }

  @Test func isMeasuredWhileSomethingWaits() throws {
    var rate = DrainRate()
    // Nothing waited: the system's buffer took it.
    rate.wrote(1_000_000, isLast: true, at: at(1))
    #expect(rate.bytesPerSecond == nil)
    rate.waits(at: at(10))
    rate.wrote(1000, isLast: false, at: at(50))
    #expect(rate.bytesPerSecond == nil, "too soon to say")
    rate.wrote(1000, isLast: false, at: at(110))
    #expect(try #require(rate.bytesPerSecond) == 20_000)
    // It has become faster; half of that is believed at once.
    rate.wrote(4000, isLast: true, at: at(210))
    #expect(try #require(rate.bytesPerSecond) == 30_000)
    // The pause is no slowness.
    rate.waits(at: at(9000))
    rate.wrote(3000, isLast: true, at: at(9100))
    #expect(try #require(rate.bytesPerSecond) == 30_000)
  }

  @Test func aLostConnectionIsNoSlowness() throws {
    var rate = DrainRate()
    rate.waits(at: at(0))
    rate.reset()
    rate.wrote(100, isLast: true, at: at(5000))
    #expect(rate.bytesPerSecond == nil)
  }

  /// It was measured while the broker stood still.
  @Test func aConnectionThatTakesEverythingIsFaster() throws {
    var rate = DrainRate()
    rate.flows()
    #expect(rate.bytesPerSecond == nil && !rate.isSlow)
    rate.suppose(100_000)
    rate.suppose(50_000)
    #expect(try #require(rate.bytesPerSecond) == 100_000 && rate.isSlow)
    rate.flows()
    #expect(try #require(rate.bytesPerSecond) == 125_000)
    // Not while something waits.
    rate.waits(at: at(0))
    rate.flows()
    #expect(try #require(rate.bytesPerSecond) == 125_000)
    rate.wrote(10, isLast: true, at: at(1))
    for _ in 0..<30 { rate.flows() }
    #expect(rate.bytesPerSecond == nil)
  }
}
