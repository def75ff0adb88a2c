import Foundations
import JSONCoding
import ModelGraph
import Plan
import Processes
import TensorFiles
import TestSupport
import Testing

@Suite("Profiles of devices")
struct DeviceProfileTests {
  private func text(_ profile: DeviceProfile) throws -> String {
    try JSON.encodeString(profile)
  }

  private func read(_ text: String) throws -> DeviceProfile {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      try FileSystem.write(Array(text.utf8), to: folder + "/d0.json")
      return try DeviceProfile.read(folder + "/d0.json")
    }
  }

  @Test("what is written is read")
  func roundTrip() throws {
    var profile = DeviceProfile.plain(operations: 1.25e9, share: 0.25)
    profile.rates[2].bytes = 7.0 / 3 * 1e9
    profile.messages = .init(
      endpoint: .init(message: 1e-5, byte: 3e-10), broker: .init(message: 2e-5, byte: 1e-9),
      delay: 1e-4)
    #expect(try read(try text(profile)) == profile)
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      try profile.write(to: folder + "/p.json")
      #expect(try DeviceProfile.read(folder + "/p.json") == profile)
    }
  }

  @Test("where messages were not measured the usual ones stand in, and are not written")
  func usualMessages() throws {
    let plain = DeviceProfile.plain()
    let profile = DeviceProfile(
      machine: plain.machine, threads: 1, share: 1, kernelOverhead: 1e-7, rates: plain.rates,
      messages: nil)
    #expect(profile.messages == .usual && !profile.hasMeasuredMessages)
    #expect(!(try text(profile)).contains("endpoint"))
    #expect(try read(try text(profile)) == profile)
  }

  @Test("work takes its operations, its bytes and the overhead, by the share of a core")
  func seconds() {
    var profile = DeviceProfile.plain(operations: 1e6)
    profile.kernelOverhead = 0.5
    profile.rates = [
      .init(.winograd, operations: 1e6, bytes: 1e3), .init(.dense, operations: nil, bytes: 2e3),
    ]
    let winograd = KernelWork(.winograd, operations: 2_000_000, bytes: 3000)
    let dense = KernelWork(.dense, operations: 1 << 40, bytes: 1000)
    #expect(profile.seconds([]) == 0)
    #expect(profile.seconds([winograd]) == 0.5 + 2 + 3)
    #expect(profile.seconds([winograd, dense]) == 0.5 + 2 + 3 + 0.5)
    profile.share = 0.25
    #expect(profile.seconds([dense]) == 4)
  }

  @Test(
    "numbers that no device has are refused, with the field",
    arguments: [
      (#""share":1.0"#, #""share":0"#, "share"), (#""share":1.0"#, #""share":1.5"#, "share"),
      (#""share":1.0"#, #""share":-1"#, "share"), (#""threads":1"#, #""threads":0"#, "threads"),
      (#""threads":1"#, #""threads":100000"#, "threads"),
      (#""s_per_kernel":0.0"#, #""s_per_kernel":-1e-6"#, "s_per_kernel"),
      (#""delay_s":0.0"#, #""delay_s":1e9"#, "delay_s"),
      (
        #"{"kernel":"dense","operations_per_s":100000000.0"#,
        #"{"kernel":"dense","operations_per_s":0"#, "rates.dense"
      ),
      (
        #"{"kernel":"dense","operations_per_s":100000000.0"#,
        #"{"kernel":"dense","operations_per_s":1e300"#, "rates.dense"
      ),
      (
        #"{"kernel":"dense","operations_per_s":100000000.0"#, #"{"kernel":"dense""#, "rates.dense"
      ),
      (#"{"kernel":"dense""#, #"{"kernel":"pooling""#, "rates"),
      (#"{"kernel":"dense""#, #"{"kernel":"magic""#, "rates"),
      (#""machine":{"processor":"plain""#, #""machine":{"processor":7"#, "processor"),
    ])
  func hostile(_ old: String, _ new: String, _ field: String) throws {
    let good = try text(.plain())
    let range = try #require(good.firstRange(of: old), "\(good)")
    let bad = good.replacingCharacters(in: range, with: new)
    let error = #expect(throws: MartletError.self) { try read(bad) }
    #expect(error?.code == .invalidFile)
    #expect(error?.hint?.contains("martlet bench device") == true)
    #expect(error.map { "\($0)".contains(field) } == true, "\(String(describing: error))")
  }

  @Test(
    "other versions and other files are refused, with what to do",
    arguments: [
      #""version":2"#, #""version":0"#,
    ])
  func versions(_ version: String) throws {
    let good = try text(.plain())
    let range = try #require(good.firstRange(of: #""version":1"#))
    let error = #expect(throws: MartletError.self) {
      try read(good.replacingCharacters(in: range, with: version))
    }
    #expect(error.map { "\($0)".contains("martlet bench device again") } == true)
    #expect(throws: MartletError.self) { try read(#"{"format":"martlet-plan","version":1}"#) }
    #expect(throws: MartletError.self) { try read("[]") }
    #expect(throws: MartletError.self) { try read("") }
    #expect(throws: MartletError.self) {
      try read(String(repeating: " ", count: DeviceProfile.maximumBytes + 1))
    }
  }

  @Test("a profile of another machine is told from one's own")
  func machines() throws {
    let profile = DeviceProfile.plain()
    try profile.require(profile.machine, file: "d0.json")
    var other = profile.machine
    other.kernels = "others"
    let error = #expect(throws: MartletError.self) {
      try profile.require(other, file: "d0.json")
    }
    #expect(error?.code == .mismatch)
    for part in ["d0.json", "by hand", "others", "martlet bench device"] {
      #expect(error.map { "\($0) \($0.hint ?? "")".contains(part) } == true, "\(part)")
    }
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
  }
}
