import Chaos
import Foundations
import Testing

/// The checks themselves: each must fail when it should.
@Suite struct CheckTests {
  @Test func framesAreAnsweredExactlyOnce() {
    var ledger = FrameLedger()
    ledger.submit(1)
    ledger.submit(2)
    #expect(ledger.failures == ["2 frames were never answered"])
    ledger.answer(1)
    ledger.answer(2)
    ledger.refuse(status: "resourceExhausted")
    #expect(ledger.failures.isEmpty)
    #expect(ledger.answered == 2 && ledger.submitted == 3)
    #expect(ledger.refused == ["resourceExhausted": 1])
    ledger.answer(2)
    ledger.answer(9)
    #expect(ledger.failures == ["2 answers to frames that were not open"])
    var all = FrameLedger()
    all.add(ledger)
    var other = FrameLedger()
    other.submit(1)
    all.add(other)
    #expect(all.submitted == 4 && all.answered == 2)
    #expect(
      all.failures == ["1 frames were never answered", "2 answers to frames that were not open"])
  }

  private static func at(_ seconds: Double) -> MonotonicTime {
    MonotonicTime(nanoseconds: UInt64(seconds * 1e9))
  }

  @Test(arguments: [
    // When the frame was submitted, in seconds; the device is down from 10 to 20.
    (9.0, false), (12.9, false), (13.1, true), (19.9, true),
  ])
  func aDeviceIsKnownToBeDownAfterAWhile(_ submitted: Double, _ isKnown: Bool) {
    var watch = DownWatch()
    watch.goesDown(1, at: Self.at(10))
    #expect(watch.wasKnown(1, submitted: Self.at(submitted)) == isKnown)
    #expect(!watch.wasKnown(0, submitted: Self.at(submitted)))
    watch.comesBack(1)
    #expect(!watch.wasKnown(1, submitted: Self.at(submitted)))
  }

  @Test func whoHearsNobodyKnowsNothing() {
    var watch = DownWatch()
    watch.goesDown(1, at: Self.at(10))
    watch.hearsNobody(at: Self.at(15))
    #expect(!watch.wasKnown(1, submitted: Self.at(14)))
    #expect(!watch.wasKnown(1, submitted: Self.at(17.9)))
    #expect(watch.wasKnown(1, submitted: Self.at(18.1)))
  }

  @Test func leaksAreFound() {
    func failures(_ samples: [(Int, Int)]) -> [String] {
      var ledger = ResourceLedger(residentLimit: 256 << 20)
      for (megabytes, descriptors) in samples {
        ledger.add(
          .init(residentBytes: megabytes << 20, descriptors: descriptors), process: 7, name: "d0")
      }
      return ledger.failures
    }
    let steady = (0..<20).map { (30 + $0 % 3, 9) }
    #expect(failures(steady).isEmpty)
    #expect(failures(steady + [(30, 10)]) == ["d0 had 9, 10 open descriptors"])
    #expect(failures(steady + [(257, 9)]) == ["d0 had 257 MiB of resident memory"])
    #expect(failures((0..<20).map { (30 + 2 * $0, 9) }) == ["d0 grew by 10 MiB twice in a row"])
    // What a burst needed and the allocator keeps is no leak, whenever it comes.
    for burst in 0..<20 { #expect(failures((0..<20).map { ($0 < burst ? 30 : 60, 9) }).isEmpty) }
    // Another process of the same device begins anew.
    var ledger = ResourceLedger(residentLimit: 256 << 20)
    ledger.add(.init(residentBytes: 1, descriptors: 9), process: 7, name: "d0")
    ledger.add(.init(residentBytes: 1, descriptors: 10), process: 8, name: "d0")
    #expect(ledger.failures.isEmpty)
  }
}
