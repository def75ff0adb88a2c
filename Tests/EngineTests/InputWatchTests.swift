import Engine
import Foundations
import Testing

@Suite struct InputWatchTests {
  private func at(_ seconds: UInt64) -> MonotonicTime {
    MonotonicTime(nanoseconds: seconds * 1_000_000_000)
  }

  /// Parts that come for more than five seconds without any input are told of once.
  @Test func partsWithoutInputsAreNoticed() {
    var watch = InputWatch()
    let told = (100...120).map { watch.part(at: at($0)) }
    #expect(told.firstIndex(of: true) == 6)
    #expect(told.count { $0 } == 1)
  }

  @Test func oneInputIsEnough() {
    var watch = InputWatch()
    let first = watch.part(at: at(100))
    watch.input()
    let told = (101...200).map { watch.part(at: at($0)) }
    #expect(!first && !told.contains(true))
  }

  /// While messages wait on their way here an input may be among them.
  @Test func whatIsUnderWayIsNotMissing() {
    var watch = InputWatch()
    let behind = (100...120).map { watch.part(at: at($0), isBehind: true) }
    #expect(!behind.contains(true))
    let told = (121...140).map { watch.part(at: at($0)) }
    #expect(told.firstIndex(of: true) == 5)
  }
}
