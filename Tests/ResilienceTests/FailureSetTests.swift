import Foundations
import Resilience
import Testing

@Suite("Failure sets")
struct FailureSetTests {
  @Test("are in order, without that of all devices")
  func order() throws {
    #expect(
      try FailureSets.upTo(9, devices: 3) == [[], [0], [1], [2], [0, 1], [0, 2], [1, 2]])
    #expect(try FailureSets.upTo(0, devices: 4) == [[]])
    #expect(try FailureSets.upTo(1, devices: 1) == [[]])
    for devices in 1...8 {
      let sets = try FailureSets.upTo(devices, devices: devices)
      #expect(sets.count == 1 << devices - 1)
      #expect(Set(sets).count == sets.count)
    }
  }

  @Test("too many are refused, saying how many would do")
  func bound() throws {
    #expect(try FailureSets.upTo(2, devices: 64).count == 1 + 64 + 64 * 63 / 2)
    let error = #expect(throws: MartletError.self) { try FailureSets.upTo(3, devices: 64) }
    #expect(error?.code == .invalidArgument)
    #expect(error?.hint?.contains("--failures 2") == true)
    #expect(throws: MartletError.self) { try FailureSets.upTo(255, devices: 256) }
    #expect(try FailureSets.upTo(12, devices: 12).count == 4095)
  }
}
