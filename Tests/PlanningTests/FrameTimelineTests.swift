import Foundations
import Planning
import TestSupport
import Testing

/// The pieces of which predictions are made, reckoned by hand.
@Suite("Pipes and queues")
struct FrameTimelineTests {
  @Test("what is served one after the other waits")
  func waiting() {
    var pipe = Pipe()
    let first = pipe.pass(Flow(at: 1, pieces: 1), seconds: 2)
    #expect(first.first == 3 && first.last == 3)
    let second = pipe.pass(Flow(at: 2, pieces: 1), seconds: 1)
    #expect(second.last == 4)
    let third = pipe.pass(Flow(at: 10, pieces: 1), seconds: 1)
    #expect(third.last == 11)
    #expect(pipe.busy == 4 && pipe.free == 11)
  }

  @Test("pieces stream through pipes of the same speed, and wait for the slower one")
  func streaming() {
    var (a, b, slow, fast) = (Pipe(), Pipe(), Pipe(), Pipe())
    var flow = a.pass(Flow(at: 0, pieces: 4), seconds: 4)
    #expect(flow.first == 1 && flow.last == 4)
    flow = b.pass(flow, seconds: 4)
    #expect(flow.first == 2 && flow.last == 5)
    flow = slow.pass(flow, seconds: 8)
    #expect(flow.first == 4 && flow.last == 10)
    flow = fast.pass(flow.delayed(by: 1), seconds: 0)
    #expect(flow.first == 5 && flow.last == 11)
    #expect(fast.busy == 0)
  }

  @Test("events come by time, and of one time in order")
  func events() {
    var queue = EventQueue<Int>()
    var random = SeededGenerator(seed: 3)
    let times = (0..<200).map { _ in Double(Int.random(in: 0..<40, using: &random)) }
    for (number, time) in times.enumerated() { queue.add(number, at: time) }
    var order: [Int] = []
    while let number = queue.next() { order.append(number) }
    #expect(order == times.indices.sorted { (times[$0], $0) < (times[$1], $1) })
  }
}
