import Foundations
import Imaging
import ModelCards
import Processes
import TensorFiles
import Tensors
import Testing

@Suite struct ImageSetTests {
  /// A ustar archive of regular files.
  private func tar(_ files: [(name: String, bytes: [UInt8])], kind: Character = "0") -> [UInt8] {
    var archive: [UInt8] = []
    for (name, bytes) in files {
      var header = [UInt8](repeating: 0, count: 512)
      func put(_ text: String, _ at: Int) {
        header.replaceSubrange(at..<(at + text.utf8.count), with: Array(text.utf8))
      }
      func octal(_ value: Int, _ digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: digits - text.count) + text
      }
      put(name, 0)
      put("0000644", 100)
      put(octal(bytes.count, 11), 124)
      put("        ", 148)
      put(String(kind), 156)
      put("ustar\u{0}00", 257)
      put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\u{0} ", 148)
      archive += header + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }
    return archive + [UInt8](repeating: 0, count: 1024)
  }

  @Test func archivesWithATable() throws {
    let picture = try Goldens.bytes("rgb.png")
    let table = "file\tlabel\tname\nb.png\t7\tseven\na.png\t1\tone\n"
    try TemporaryFolder.with { folder in
      let path = folder + "/set.tar"
      try FileSystem.write(
        tar([("set/a.png", picture), ("set/b.png", picture), ("set/labels.tsv", Array(table.utf8))]
        ),
        to: path)
      let set = try ImageSet.open(paths: [path], labelling: .none)
      #expect((0..<set.count).map(set.name) == ["b.png", "a.png"])
      #expect((0..<set.count).map(set.label) == [7, 1])
      #expect(set.labelNames?[7] == "seven")
      #expect(set.labelNames?[3] == nil)
      #expect(try set.load(1).height == 53)
      // Eight of ten names are missing, and a label may be beyond the outputs.
      let fitted = try ImageSet.open(paths: [path], labelling: .classes(nil, outputs: 10))
      #expect(fitted.labelNames?[7] == "seven" && fitted.labelNames?[9] == "class 9")
      let error = #expect(throws: MartletError.self) {
        try ImageSet.open(paths: [path], labelling: .classes(nil, outputs: 7))
      }
      #expect(error?.code == .mismatch)
      for part in ["line: 2", "label: 7", "outputs: 7"] {
        #expect(error?.description.contains(part) == true)
      }
    }
  }

  @Test(arguments: [
    "file\tlabel\n../../etc/passwd\t0\n", "file\tlabel\na.png\n", "file\tlabel\na.png\t-1\n",
    "file\tlabel\na.png\t99999999999\n", "file\tlabel\n", "", "name\tnumber\na.png\t0\n",
  ])
  func tablesThatDoNotFitAreRefused(table: String) throws {
    let picture = try Goldens.bytes("rgb.png")
    try TemporaryFolder.with { folder in
      let path = folder + "/set.tar"
      try FileSystem.write(tar([("a.png", picture), ("labels.tsv", Array(table.utf8))]), to: path)
      let error = #expect(throws: MartletError.self) {
        try ImageSet.open(paths: [path], labelling: .none)
      }
      #expect(error?.code == .invalidFile)
    }
  }

  @Test func longNamesInArchives() throws {
    let picture = try Goldens.bytes("rgb.png")
    let long = String(repeating: "n", count: 150) + ".png"
    let body = " path=\(long)\n"
    let record = "\(body.utf8.count + 3)\(body)"
    try TemporaryFolder.with { folder in
      for (kind, bytes) in [("x", Array(record.utf8)), ("L", Array(long.utf8) + [0])] {
        let path = folder + "/\(kind).tar"
        let header = tar([("././@LongLink", bytes)], kind: Character(kind)).dropLast(1024)
        try FileSystem.write(header + tar([("short", picture)]), to: path)
        let set = try ImageSet.open(paths: [path], labelling: .none)
        #expect(set.name(0) == long)
        #expect(try set.load(0).width == 71)
      }
    }
  }

  @Test func damagedArchivesNeverCrash() throws {
    let picture = try Goldens.bytes("palette.png")
    let valid = tar([("a/x.png", picture), ("b/y.png", picture)])
    let seed: UInt64 = 3
    var random = SeededGenerator(seed: seed)
    try TemporaryFolder.with { folder in
      let path = folder + "/set.tar"
      for round in 0..<600 {
        var bytes = valid
        for _ in 0...(random.next() % 3) {
          bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
        }
        if round % 3 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
        try FileSystem.write(bytes, to: path)
        guard let set = try? ImageSet.open(paths: [path], labelling: .none) else { continue }
        for index in 0..<set.count { _ = try? set.load(index) }
      }
      try FileSystem.write([UInt8](repeating: 0x20, count: 2000), to: path)
      #expect(throws: MartletError.self) { try ImageSet.open(paths: [path], labelling: .none) }
    }
    let error = #expect(throws: MartletError.self) {
      try ImageSet.open(paths: ["/nowhere.png"], labelling: .none)
    }
    #expect(error?.code == .notFound)
    #expect(throws: MartletError.self) { try ImageSet.open(paths: [], labelling: .none) }
  }

  @Test func theImageNetSampleIfItIsThere() throws {
    let path = "../shared/data/imagenet-sample.tar"
    guard FileSystem.exists(path) else {
      print("theImageNetSampleIfItIsThere: not run, as \(path) is absent")
      return
    }
    let set = try ImageSet.open(paths: [path], labelling: .none)
    #expect(set.count == 700)
    #expect(set.labelNames?[0] == "tench")
    let time = try ContinuousClock().measure {
      for index in 0..<50 {
        let input = try Preprocessing.torchVision.apply(set.load(index))
        #expect(input.shape == [1, 3, 224, 224])
      }
    }
    print("a photograph read, decoded and preprocessed: \(time / 50)")
  }
}
