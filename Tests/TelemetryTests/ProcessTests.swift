import Foundations
import Glibc
import Telemetry
import Testing

@Suite struct ProcessTests {
  @Test func memoryOfThisProcessAndOfOthers() throws {
    let before = try ProcessMemory.read()
    #expect(before.residentBytes > 1 << 20)
    #expect(before.peakBytes >= before.residentBytes)
    var block = [UInt8](repeating: 0, count: 64 << 20)
    for index in stride(from: 0, to: block.count, by: 4096) { block[index] = 1 }
    let after = try ProcessMemory.read(pid: getpid())
    #expect(after.peakBytes >= 64 << 20)
    #expect(block[4096] == 1)
    #expect(try ProcessMemory.read(pid: getppid()).residentBytes > 0)
    let error = #expect(throws: MartletError.self) { try ProcessMemory.read(pid: .max) }
    #expect(error?.code == .notFound)
  }

  @Test func timeOfThisProcessGrows() throws {
    let start = ProcessTime.cpuSeconds()
    var sum: UInt64 = 1
    while ProcessTime.cpuSeconds() - start < 0.05 { sum = sum &* 31 &+ 7 }
    #expect(sum != 0)
    let own = try ProcessTime.cpuSeconds(pid: getpid())
    #expect(abs(own - ProcessTime.cpuSeconds()) < 1)
    #expect(throws: MartletError.self) { try ProcessTime.cpuSeconds(pid: .max) }
  }
}
