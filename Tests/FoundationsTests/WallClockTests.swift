import Foundations
import Testing

@Suite struct WallClockTests {
  @Test(arguments: [
    (UInt64(0), "1970-01-01T00:00:00.000Z"),
    (951_782_399_999, "2000-02-28T23:59:59.999Z"),
    (951_782_400_000, "2000-02-29T00:00:00.000Z"),
    (1_709_251_199_001, "2024-02-29T23:59:59.001Z"),
    (1_772_366_400_250, "2026-03-01T12:00:00.250Z"),
    (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    (UInt64.max, "9999-12-31T23:59:59.999Z"),
  ])
  func momentsInText(_ milliseconds: UInt64, _ text: String) {
    #expect(WallClock.rfc3339(unixMilliseconds: milliseconds) == text)
  }

  @Test func percentages() {
    #expect(0.871.asPercent == "87.1 %" && 1.0.asPercent == "100.0 %" && 0.0.asPercent == "0.0 %")
  }
}
