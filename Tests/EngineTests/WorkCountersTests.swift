import Engine
import Foundations
import Testing
import WireProtocol

@Suite struct WorkCountersTests {
  @Test func timesAndBytesByStageAndSortOfFrame() {
    var counters = WorkCounters(exchanges: ["conv-1", "conv-2"])
    let times = [
      StageTime(
        exchange: 0, compute: .milliseconds(2), send: .microseconds(500),
        wait: .milliseconds(3)),
      StageTime(exchange: 1, compute: .milliseconds(1)),
      // The last stage of a device that has no part of the output.
      StageTime(exchange: nil, compute: .milliseconds(4)),
    ]
    counters.finished(times, fills: FillReport(), receiver: 0)
    var missing = FillReport()
    missing.insert(.init(exchange: 1, device: 2, receiver: 0, reason: .deadline))
    missing.insert(.init(exchange: 0, device: 2, receiver: 1, reason: .lost))
    counters.finished(times, fills: missing, receiver: 0)
    let start = MonotonicTime(nanoseconds: 10)
    counters.received(100, of: "conv-2", since: start, until: start.adding(milliseconds: 2))
    counters.received(50, of: "unheard-of", since: start, until: start)
    counters.received(784, of: nil, since: start, until: start.adding(milliseconds: 1))

    var metric = FrameMetric(epoch: 1, sequence: 1, intervalMilliseconds: 1000)
    counters.take(sent: [0: 40], into: &metric)
    #expect(metric.framesDegraded == 1)
    #expect(metric.computeMilliseconds == 14 && metric.waitMilliseconds == 6)
    #expect(metric.sendMilliseconds == 1 && metric.receiveMilliseconds == 3)
    #expect(metric.sentBytes == 40 && metric.receivedBytes == 934)
    #expect(metric.stages.map(\.layer) == ["conv-1", "conv-2"])
    let work = StageMetric.Work(
      frames: 1, computeMilliseconds: 2, sendMilliseconds: 0.5, waitMilliseconds: 3)
    #expect(metric.stages[0].whole == work && metric.stages[0].degraded == work)
    #expect(metric.stages[0].sentBytes == 40 && metric.stages[0].fills.isEmpty)
    // What another device missed is counted there.
    #expect(metric.stages[1].fills == ["deadline": 1])
    #expect(metric.stages[1].receivedBytes == 100 && metric.stages[1].receiveMilliseconds == 2)

    var next = FrameMetric(epoch: 1, sequence: 2, intervalMilliseconds: 1000)
    counters.take(sent: [:], into: &next)
    #expect(next == FrameMetric(epoch: 1, sequence: 2, intervalMilliseconds: 1000))
  }
}
