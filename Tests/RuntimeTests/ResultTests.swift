import Engine
import Foundations
import Plan
import Runtime
import TestSupport
import Testing
import WireProtocol

/// What a client publishes of its answers.
@Suite struct ResultTests {
  /// A result goes out however much was missing, and says what is not in it.
  @Test func aResultThatLacksMuchIsPublishedAndCountsWhatItLeavesOut() throws {
    try TinyModel.with { model in
      let cluster = LocalCluster(devices: model.engines, client: model.client)
      var answer = try cluster.answer(model.input(1), ticket: 0, alive: [true, false, true])
      func result() throws -> FrameResult {
        let result = FrameResult(answer, of: model.folder.plan, origin: FrameOrigin())
        return try FrameResult(payload: result.payload(), source: "result")
      }
      #expect(try result().degraded.count == answer.fills.count)
      #expect(try result().degradedOmitted == nil)
      let receivers = (0..<128).map { "device-with-a-name-\($0)" }
      let one = try #require(answer.fills.first)
      answer.fills = (0..<4000).map { number in
        var fill = one
        fill.layer = "layer-\(number / 100)"
        fill.device = "d\(number % 100)"
        fill.filledBy = receivers
        return fill
      }
      let long = try result()
      #expect(!long.degraded.isEmpty)
      #expect(
        long.degradedOmitted == (answer.fills.count - long.degraded.count) * receivers.count)
      // So many that their number is too large, not their names.
      for index in answer.fills.indices { answer.fills[index].filledBy = ["d0"] }
      #expect(try result().degradedOmitted ?? 0 > 4000 - FrameResult.maximumDegraded - 1)
    }
  }
}
