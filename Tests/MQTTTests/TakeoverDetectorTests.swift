import MQTT
import Testing

@Suite struct TakeoverDetectorTests {
  @Test func theReasonCodeIsEnough() {
    var detector = TakeoverDetector()
    let verdict = detector.lost(lifetime: .seconds(999), reason: 142, deliberate: false)
    #expect(verdict)
  }

  @Test func repeatedBriefUnexplainedLossesAreATakeover() {
    var detector = TakeoverDetector()
    let verdicts = (0..<4).map { _ in
      detector.lost(lifetime: .seconds(1), reason: nil, deliberate: false)
    }
    #expect(verdicts == [false, false, false, true])
  }

  @Test func anythingElseInBetweenStartsOver() {
    for step in 0..<4 {
      var detector = TakeoverDetector()
      for _ in 0..<3 { _ = detector.lost(lifetime: .seconds(1), reason: nil, deliberate: false) }
      switch step {
      case 0: detector.attemptFailed()
      case 1: _ = detector.lost(lifetime: .seconds(6), reason: nil, deliberate: false)
      case 2: _ = detector.lost(lifetime: .seconds(1), reason: 139, deliberate: false)
      default: _ = detector.lost(lifetime: .seconds(1), reason: nil, deliberate: true)
      }
      let verdict = detector.lost(lifetime: .seconds(1), reason: nil, deliberate: false)
      #expect(!verdict, "\(step)")
    }
  }
}
