import Foundations
import Processes
import Runtime
import TensorFiles
import Testing

@Suite struct EpochFileTests {
  private func next(_ folder: String, at time: UInt64) throws -> UInt64 {
    try EpochFile.next(folder: folder, device: "d0", unixMilliseconds: time)
  }

  @Test func growsWhateverTheClockSays() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { path in
      let folder = path + "/new/state"
      let epochs = try [1000, 1000, 5, 2000].map { try next(folder, at: $0) }
      #expect(epochs == [1000, 1001, 1002, 2000])
      let other = try EpochFile.next(folder: folder, device: "d1", unixMilliseconds: 7)
      #expect(other == 7)
    }
  }

  @Test(arguments: ["", "x", "-1", "99999999999999999999999"])
  func whatCannotBeReadCountsAsNothing(_ text: String) throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      try FileSystem.write(Array(text.utf8), to: folder + "/d0.epoch")
      let epochs = try [1000, 5].map { try next(folder, at: $0) }
      #expect(epochs == [1000, 1001])
    }
  }

  @Test func aFolderThatCannotBeIsAnError() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      try FileSystem.write([1], to: folder + "/file")
      #expect(throws: MartletError.self) { try next(folder + "/file/state", at: 1) }
    }
  }
}
