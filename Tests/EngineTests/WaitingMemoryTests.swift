import Engine
import Testing

@Suite struct WaitingMemoryTests {
  /// What may wait in a worker has one limit, and both places where it waits keep to their share.
  @Test func oneLimitHoldsForAllThatWaits() {
    let limits = WorkerCore.Limits()
    #expect(WaitingMemory.mailbox + limits.bytes <= WaitingMemory.total)
    #expect(WaitingMemory.mailbox > 0 && limits.bytesPerPeer <= limits.bytes)
    // The largest message that a broker hands over has room.
    #expect(WaitingMemory.mailbox >= 16 << 20)
  }
}
