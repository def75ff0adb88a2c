import Foundations
import Processes
import TensorFiles
import Tensors
import Testing

@Suite struct NumpyTests {
  private func file(_ header: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let length = (0..<(version == 1 ? 2 : 4)).map {
      UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0))
    }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + Array(header.utf8) + data
  }

  private func read(_ bytes: [UInt8]) throws -> Tensor {
    try TemporaryFolder.with { folder in
      try FileSystem.write(bytes, to: folder + "/x.npy")
      return try NumpyFile.read(folder + "/x.npy")
    }
  }

  @Test func arraysRoundTrip() throws {
    try TemporaryFolder.with { folder in
      let path = folder + "/x.npy"
      for tensor in [
        Tensor([2, 2], [1, 2, 3, 4.5] as [Float]), Tensor([3], [1, -2, 3] as [Int64]),
        Tensor([], [7] as [Float]), Tensor([0, 3], [Float]()),
      ] {
        try NumpyFile.write(path, tensor)
        #expect(try NumpyFile.read(path) == tensor)
        #expect(try FileSystem.read(path)[6] == 1)
      }
    }
  }

  @Test func everyTypeAndVersion() throws {
    func header(_ type: String) -> String {
      "{'descr': '\(type)', 'fortran_order': False, 'shape': (2,), }\n"
    }
    #expect(try read(file(header("<i4"), [1, 0, 0, 0, 255, 255, 255, 255])).integers == [1, -1])
    #expect(try read(file(header("|u1"), [1, 255], version: 2)).integers == [1, 255])
    #expect(try read(file(header("|i1"), [1, 255], version: 3)).integers == [1, -1])
    #expect(try read(file(header("|b1"), [1, 0])).integers == [1, 0])
    #expect(try read(file(header("<i2"), [1, 0, 255, 255])).integers == [1, -1])
    #expect(try read(file(header("<u2"), [1, 0, 255, 255])).integers == [1, 65535])
    #expect(
      try read(file(header("<u4"), [1, 0, 0, 0, 255, 255, 255, 255])).integers == [1, 0xFFFF_FFFF])
    #expect(try read(file(header("<f2"), [0, 0x3C, 0, 0xC0])).floats == [1, -2])
    let double = (0..<8).map { UInt8(truncatingIfNeeded: (0.5).bitPattern >> (8 * UInt64($0))) }
    #expect(try read(file(header("<f8"), double + double)).floats == [0.5, 0.5])
  }

  /// Element [i, j, k] of 2 x 3 x 2 is 6i + 2j + k.
  @Test func fortranOrderIsRearranged() throws {
    let stored: [UInt8] = [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]
    let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }\n"
    let tensor = try read(file(header, stored))
    #expect(tensor.shape.dimensions == [2, 3, 2])
    #expect(tensor.integers == (0..<12).map { Int64($0) })
    let floats = try read(
      file(
        "{'descr': '<f2', 'fortran_order': True, 'shape': (2, 2), }\n",
        [0, 0, 0, 0x40, 0, 0x3C, 0x00, 0x42]))
    #expect(floats.floats == [0, 1, 2, 3])
    let empty = "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }\n"
    #expect(try read(file(empty, [0, 0, 0x80, 0x3F])).floats == [1])
  }

  @Test func typesThatAreNotReadHaveAHint() throws {
    for (type, hint) in [("<V2", "astype('float32')"), (">f4", "astype('<f4')")] {
      let error = #expect(throws: MartletError.self) {
        try read(
          file("{'descr': '\(type)', 'fortran_order': False, 'shape': (1,), }\n", [0, 0, 0, 0]))
      }
      #expect(error?.code == .unsupported && error?.hint?.contains(hint) == true, "\(type)")
    }
  }

  @Test(arguments: [
    "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
    "{'descr': '<f4', 'fortran_order': False, }", "{'descr': '<f4'", "", "{}", "{'a': 1}",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x",
  ])
  func otherHeadersAreRefused(header: String) {
    #expect(throws: MartletError.self) { try read(file(header, [0, 0, 0, 0])) }
  }

  @Test func damagedFilesNeverCrash() throws {
    let valid = file(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n",
      [UInt8](repeating: 0, count: 8))
    for count in 0..<valid.count {
      #expect(throws: MartletError.self) { try read(Array(valid[..<count])) }
    }
    let seed: UInt64 = 5
    var random = SeededGenerator(seed: seed)
    try TemporaryFolder.with { folder in
      for _ in 0..<500 {
        var bytes = valid
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
        try FileSystem.write(bytes, to: folder + "/x.npy")
        _ = try? NumpyFile.read(folder + "/x.npy")
      }
    }
  }
}
