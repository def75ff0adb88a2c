import Foundations
import Glibc
import Processes
import TensorFiles
import Tensors
import Testing

@Suite("Narrow constants in files")
struct StoredTensorFileTests {
  private typealias Name = SafetensorsFile.StoredName

  private func name(_ text: String) -> Name { Name(elements: text, scales: text + "#scales") }

  private func withFile(_ body: (String) throws -> Void) throws {
    try TemporaryFolder.with(prefix: "martlet-stored-test") { try body($0 + "/x.safetensors") }
  }

  private func error(_ body: () throws -> Void) -> MartletError? {
    do {
      try body()
      return nil
    } catch {
      return error as? MartletError
    }
  }

  @Test("all types come back, whatever their order")
  func roundTrip() throws {
    try withFile { file in
      let odd = Tensor([3, 1], [1, -2, 0.5])
      let constants: [(name: Name, tensor: StoredTensor)] = [
        (name("b"), try StoredTensor(rounding: odd, to: .int8, scales: [0.01, 1, 0.25])),
        (name("h"), try StoredTensor(rounding: odd, to: .float16)),
        (name("f"), StoredTensor(odd)),
        (name("none"), try StoredTensor(rounding: Tensor([0, 4], [Float]()), to: .int8)),
      ]
      try SafetensorsFile.writeStored(file, constants, metadata: [("device", "d0")])
      let read = try SafetensorsFile(file)
      #expect(read.header.metadata == ["device": "d0"])
      // The widest first, so that each lies at a multiple of its size.
      #expect(
        read.header.entries.allSatisfy {
          (read.header.dataOffset + $0.range.lowerBound) % $0.elementType.size == 0
        })
      let stored = try read.stored(constants.map(\.name))
      for (found, expected) in zip(stored, constants.map(\.tensor)) {
        #expect(found.elementType == expected.elementType && found.shape == expected.shape)
        #expect(found.scales == expected.scales && found.widened == expected.widened)
      }
      // What is mapped stays when the file is replaced or removed.
      try FileSystem.remove(file)
      #expect(stored[1].widened.floats == [1, -2, 0.5])
    }
  }

  @Test("elements at odd addresses are copied")
  func unaligned() throws {
    try withFile { file in
      let json =
        #"{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"#
        + #""h":{"dtype":"F16","shape":[2],"data_offsets":[1,5]}}"#
      let padded = json + String(repeating: " ", count: (8 - json.utf8.count % 8) % 8)
      var bytes = (0..<8).map { UInt8(truncatingIfNeeded: padded.utf8.count >> (8 * $0)) }
      bytes += Array(padded.utf8) + [7, 0x00, 0x3C, 0x00, 0xC0]
      try FileSystem.write(bytes, to: file)
      let stored = try SafetensorsFile(file).stored([name("h")])
      #expect(stored[0].widened.floats == [1, -2])
    }
  }

  @Test(
    "scales that are none are refused",
    arguments: [[1], [1, 0], [1, -1], [1, .infinity], [.nan, 1], [1, 1, 1]] as [[Float]])
  func badScales(scales: [Float]) throws {
    try withFile { file in
      let bytes = try #require(FixedBytes(count: 6) { $0.copyBytes(from: [1, 2, 3, 4, 5, 6]) })
      try SafetensorsFile.writeStored(
        file,
        [
          (
            Name(elements: "w", scales: "mine"),
            StoredTensor([2, 3], .int8, bytes, scales: [1, 1])
          ), (name("given"), StoredTensor(Tensor(Shape([scales.count]), scales))),
        ])
      let read = try SafetensorsFile(file)
      #expect(try read.stored([Name(elements: "w", scales: "mine")])[0].scales == [1, 1])
      let refused = error { _ = try read.stored([Name(elements: "w", scales: "given")]) }
      #expect(refused?.code == .mismatch)
      #expect(refused?.description.contains("scales") == true)
      let missing = error { _ = try read.stored([Name(elements: "w", scales: "nothing")]) }
      #expect(missing?.code == .notFound)
      let absent = error { _ = try read.stored([name("absent")]) }
      #expect(absent?.code == .notFound)
    }
  }

  @Test("whole numbers cannot be weights")
  func integers() throws {
    try withFile { file in
      try SafetensorsFile.write(file, tensors: [("i", Tensor([2], [1, 2] as [Int64]))])
      #expect(error { _ = try SafetensorsFile(file).stored([name("i")]) }?.code == .mismatch)
    }
  }

  @Test("a file that is cut short after it was opened is refused and not mapped")
  func truncated() throws {
    try withFile { file in
      let tensor = try StoredTensor(
        rounding: Tensor([64, 64], [Float](repeating: 1, count: 4096)), to: .float16)
      try SafetensorsFile.writeStored(file, [(name("w"), tensor)])
      let whole = try FileSystem.read(file)
      let read = try SafetensorsFile(file)
      // In its place: the same inode, as an overwriting copy leaves it.
      #expect(truncate(file, whole.count / 2) == 0)
      let refused = error { _ = try read.stored([name("w")]) }
      #expect(refused?.code == .invalidFile)
      #expect(error { _ = try SafetensorsFile(file) }?.code == .invalidFile)
    }
  }
}
