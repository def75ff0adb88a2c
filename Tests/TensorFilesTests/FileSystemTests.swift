import Foundations
import Glibc
import Processes
import TensorFiles
import Testing

@Suite struct FileSystemTests {
  @Test func digestsOfKnownText() throws {
    #expect(
      try FileDigest.sha256(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    try TemporaryFolder.with { folder in
      let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      try FileSystem.write(bytes, to: folder + "/x")
      #expect(try FileDigest.sha256(path: folder + "/x") == FileDigest.sha256(bytes))
    }
  }

  @Test func readingHasALimitAndReadsProc() throws {
    try TemporaryFolder.with { folder in
      try FileSystem.write([1, 2, 3], to: folder + "/x")
      #expect(try FileSystem.read(folder + "/x", limit: 3) == [1, 2, 3])
      let error = #expect(throws: MartletError.self) {
        try FileSystem.read(folder + "/x", limit: 2)
      }
      #expect(error?.code == .resourceExhausted)
      try FileSystem.write([0xFF], to: folder + "/y")
      #expect(throws: MartletError.self) { try FileSystem.readText(folder + "/y") }
      #expect(throws: MartletError.self) { try FileSystem.read(folder) }
    }
    #expect(try FileSystem.readText("/proc/self/status").contains("VmRSS"))
    #expect(throws: MartletError.self) { try FileSystem.read("/dev/zero", limit: 100_000) }
  }

  @Test func aFailedWriteLeavesTheOldFileAndNothingElse() throws {
    try TemporaryFolder.with { folder in
      try FileSystem.write([1], to: folder + "/x")
      #expect(throws: MartletError(.timedOut, "stop")) {
        try FileSystem.writeAtomically(folder + "/x") { file throws(MartletError) in
          try file.write([UInt8](repeating: 2, count: 100))
          throw MartletError(.timedOut, "stop")
        }
      }
      #expect(try FileSystem.read(folder + "/x") == [1])
      #expect(try FileSystem.list(folder).map(\.path) == ["x"])
      // A folder cannot be replaced by a file.
      try FileSystem.createFolder(folder + "/sub/deeper")
      #expect(throws: MartletError.self) { try FileSystem.write([1], to: folder + "/sub") }
      #expect(try FileSystem.list(folder).map(\.path) == ["sub", "sub/deeper", "x"])
    }
    let error = #expect(throws: MartletError.self) {
      try FileSystem.write([1], to: "/nonexistent-folder/x")
    }
    #expect(error?.code == .notFound)
    #expect(error?.description.contains("No such file") == true)
  }

  @Test func aFullDiskIsSaidAndCleanedUp() throws {
    try TemporaryFolder.with { folder in
      // Only root may mount; elsewhere the test says so and ends.
      guard mount("tmpfs", folder, "tmpfs", 0, "size=64k") == 0 else {
        print("aFullDiskIsSaidAndCleanedUp: not run, as mounting a tmpfs is not permitted")
        return
      }
      defer { umount2(folder, 2) }
      let error = #expect(throws: MartletError.self) {
        try FileSystem.write([UInt8](repeating: 1, count: 1 << 20), to: folder + "/x")
      }
      #expect(error?.code == .resourceExhausted)
      #expect(error?.description.contains("No space left") == true)
      let left = try FileSystem.list(folder)
      #expect(left.isEmpty)
    }
  }

  @Test func listingIsSortedAndFollowsNoLinkedFolder() throws {
    try TemporaryFolder.with { folder in
      try FileSystem.createFolder(folder + "/b")
      try FileSystem.write([1], to: folder + "/b/2")
      try FileSystem.write([1], to: folder + "/a")
      try FileSystem.write([1], to: folder + "/.hidden")
      #expect(symlink(folder, folder + "/b/loop") == 0)
      #expect(try FileSystem.list(folder).map(\.path) == ["a", "b", "b/2"])
      #expect(try FileSystem.list(folder, recursive: false).map(\.isFolder) == [false, true])
      try FileSystem.remove(folder + "/b/loop")
      try FileSystem.remove(folder + "/.hidden")
    }
  }

  @Test func partsOfPaths() {
    #expect(FileSystem.folder(of: "a/b/c") == "a/b")
    #expect(FileSystem.folder(of: "/a") == "/")
    #expect(FileSystem.folder(of: "a") == ".")
    #expect(FileSystem.name(of: "/a/b.txt") == "b.txt")
  }
}
