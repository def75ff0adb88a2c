import Foundations
import Glibc
import Processes
import Recording
import TensorFiles
import Testing

/// Messages as a deployment sends them: small texts, sometimes a large tensor.
private func messages(_ count: Int, seed: UInt64) -> [RecordedMessage] {
  var random = SeededGenerator(seed: seed)
  return (0..<count).map { index in
    let size = index % 97 == 0 ? 300_000 : Int.random(in: 0...400, using: &random)
    return RecordedMessage(
      time: UInt64(index) * 1_000_000, topic: "martlet/1/default/metric/d\(index % 4)/frame",
      payload: (0..<size).map { _ in UInt8.random(in: 97...104, using: &random) },
      isRetained: index % 5 == 0, isAcknowledged: index % 3 == 0)
  }
}

private func write(
  _ messages: [RecordedMessage], to path: String,
  options: RecordWriter.Options = RecordWriter.Options()
) throws -> [String] {
  var writer = try RecordWriter(path, options: options)
  for message in messages { try writer.append(message) }
  try writer.finish()
  return writer.files
}

private func read(_ path: String) throws -> (messages: [RecordedMessage], RecordReader.Damage) {
  var reader = try RecordReader(path)
  var messages: [RecordedMessage] = []
  while let message = try reader.next() { messages.append(message) }
  return (messages, reader.damage)
}

@Suite struct RecordTests {
  @Test(arguments: [true, false]) func messagesComeBackAsTheyWere(isDeflated: Bool) throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let path = folder + "/flight.rec"
      let original = messages(500, seed: 1)
      var options = RecordWriter.Options()
      options.isDeflated = isDeflated
      _ = try write(original, to: path, options: options)
      let (again, damage) = try read(path)
      #expect(again == original && damage.isEmpty)
      let size = try ReadableFile(path).size
      let raw = original.reduce(0) { $0 + $1.encodedBytes }
      #expect(isDeflated ? size < raw * 2 / 3 : size > raw)
    }
  }

  @Test func recordingsGoOnWhereTheyStopped() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let path = folder + "/flight.rec"
      let original = messages(60, seed: 2)
      _ = try write(Array(original[..<20]), to: path)
      _ = try write(Array(original[20..<40]), to: path)
      // A crash in the middle of a write.
      let whole = try FileSystem.read(path)
      try FileSystem.write(whole + whole[16..<16 + 30], to: path)
      #expect(try read(path).1.tornBytes == 30)
      _ = try write(Array(original[40...]), to: path)
      let (again, damage) = try read(path)
      #expect(again == original && damage.isEmpty)
    }
  }

  @Test func everyTornTailIsLeftOut() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let path = folder + "/flight.rec"
      let original = messages(10, seed: 3).map { message in
        var short = message
        short.payload = Array(short.payload.prefix(50))
        return short
      }
      var writer = try RecordWriter(path)
      var ends: [Int] = []
      for message in original {
        try writer.append(message)
        try writer.flush()
        ends.append(writer.writtenBytes)
      }
      try writer.finish()
      let whole = try FileSystem.read(path)
      for length in RecordReader.head.count...whole.count {
        let cut = folder + "/cut.rec"
        try FileSystem.write(Array(whole[..<length]), to: cut)
        let (again, damage) = try read(cut)
        let expected = ends.prefix { $0 <= length }.count
        #expect(again == Array(original[..<expected]), "cut at \(length)")
        #expect(damage.tornBytes == length - (expected > 0 ? ends[expected - 1] : 16))
        #expect(damage.gaps == 0)
      }
      for length in 0..<RecordReader.head.count {
        try FileSystem.write(Array(whole[..<length]), to: path)
        #expect(throws: MartletError.self) { try RecordReader(path) }
      }
    }
  }

  @Test func blocksThatAreDamagedAreSkipped() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let path = folder + "/flight.rec"
      let original = messages(30, seed: 4).map { message in
        var short = message
        short.payload = Array(short.payload.prefix(80))
        return short
      }
      var writer = try RecordWriter(path)
      var ends = [RecordReader.head.count]
      for message in original {
        try writer.append(message)
        try writer.flush()
        ends.append(writer.writtenBytes)
      }
      try writer.finish()
      let whole = try FileSystem.read(path)
      for index in original.indices.dropLast() {
        var bytes = whole
        bytes[(ends[index] + ends[index + 1]) / 2] ^= 0x40
        try FileSystem.write(bytes, to: path)
        let (again, damage) = try read(path)
        var expected = original
        expected.remove(at: index)
        #expect(again == expected)
        #expect(damage.gaps == 1 && damage.skippedBytes == ends[index + 1] - ends[index])
      }
      // Blocks that change places come in that order; a block that is there twice comes twice.
      let pieces = ends.indices.dropLast().map { Array(whole[ends[$0]..<ends[$0 + 1]]) }
      try FileSystem.write(RecordReader.head + pieces[1] + pieces[0] + pieces[0], to: path)
      #expect(try read(path).messages == [original[1], original[0], original[0]])
    }
  }

  @Test func noiseIsNeverMoreThanDamage() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let path = folder + "/flight.rec"
      let original = messages(200, seed: 5)
      _ = try write(original, to: path)
      let whole = try FileSystem.read(path)
      let seed = UInt64.random(in: 0...UInt64.max)
      var random = SeededGenerator(seed: seed)
      for _ in 0..<300 {
        var bytes = whole
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let place = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0..<5, using: &random) {
          case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
          case 1: bytes.removeSubrange(place..<min(bytes.count, place + 700))
          case 2: bytes.insert(contentsOf: bytes[max(0, place - 400)..<place], at: place)
          case 3:
            // A header with lengths that lie.
            for index in place..<min(bytes.count, place + 12) { bytes[index] = 0xFF }
          default: bytes.removeLast(bytes.count - max(place, 1))
          }
          if bytes.isEmpty { bytes = whole }
        }
        try FileSystem.write(bytes, to: path)
        guard var reader = try? RecordReader(path) else { continue }
        while let message = try reader.next() {
          #expect(original.contains(message), "seed \(seed): a message that was never recorded")
        }
      }
    }
  }

  @Test func lengthsThatLieAreRefusedBeforeAnythingIsAllocated() {
    func header(_ numbers: UInt32...) -> Block.Header? {
      var bytes: [UInt8] = []
      for number in [Block.marker] + numbers { bytes.appendLittleEndian(number) }
      return Block.Header(bytes)
    }
    #expect(header(0, 100, 100, 1, 0) != nil)
    #expect(header(1, 100, 50, 1, 0) != nil)
    #expect(header(2, 100, 100, 1, 0) == nil, "unknown flag")
    #expect(header(0, .max, .max, 1, 0) == nil)
    #expect(header(1, 16 << 20, 100, 1, 0) == nil, "no deflated data grow so much")
    #expect(header(0, 100, 99, 1, 0) == nil)
    #expect(header(0, 100, 100, 7, 0) == nil, "more messages than fit")
    #expect(header(0, 0, 0, 0, 0) == nil)
  }

  @Test func filesRotateAndOldOnesGo() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      var options = RecordWriter.Options()
      options.rotationBytes = 600_000
      options.isDeflated = false
      let original = messages(800, seed: 6)
      let path = folder + "/flight.rec"
      let files = try write(original, to: path, options: options)
      #expect(files.count > 2 && files.first == folder + "/flight-000001.rec")
      #expect(try RecordFiles.existing(path) == files)
      var again: [RecordedMessage] = []
      for file in files {
        #expect(try ReadableFile(file).size <= 600_000)
        again += try read(file).messages
      }
      #expect(again == original)
      options.keptFiles = 2
      _ = try write(original, to: path, options: options)
      let kept = try RecordFiles.existing(path)
      #expect(kept.count == 2 && !kept.contains(files[0]))
    }
  }

  @Test func otherFilesAreLeftAlone() throws {
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      let path = folder + "/notes.txt"
      try FileSystem.write(Array("not a recording at all".utf8), to: path)
      #expect(throws: MartletError.self) { _ = try RecordWriter(path).files }
      #expect(try FileSystem.readText(path) == "not a recording at all")
      #expect(throws: MartletError.self) { _ = try RecordWriter(folder + "/a/b.rec").files }
      var newer = RecordReader.head
      newer[8] = 2
      try FileSystem.write(newer, to: path)
      #expect(throws: MartletError.self) { try RecordReader(path) }
    }
  }

  @Test func aFullDiskLeavesWhatWasWritten() throws {
    // A file system of one megabyte, where this process may make one.
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      guard mount("martlet", folder, "tmpfs", 0, "size=1m") == 0 else {
        print("skipped: only root can mount; the command's test limits the file's size instead")
        return
      }
      defer { _ = umount2(folder, 2) }
      let path = folder + "/flight.rec"
      var options = RecordWriter.Options()
      options.isDeflated = false
      let original = messages(400, seed: 7)
      var writer = try RecordWriter(path, options: options)
      var failure: MartletError?
      do {
        for message in original { try writer.append(message) }
        try writer.finish()
      } catch { failure = error as? MartletError }
      #expect(failure?.code == .resourceExhausted)
      #expect(throws: MartletError.self) {
        for message in original { try writer.append(message) }
      }
      let (again, damage) = try read(path)
      #expect(!again.isEmpty && damage.isEmpty)
      #expect(again == Array(original[..<again.count]))
    }
  }
}
