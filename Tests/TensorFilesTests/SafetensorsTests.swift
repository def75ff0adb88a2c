import Foundations
import Processes
import TensorFiles
import Tensors
import Testing

@Suite struct SafetensorsHeaderTests {
  private func message(_ json: String, data: Int) -> [UInt8] {
    let text = Array(json.utf8)
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
      + [UInt8](repeating: 0, count: data)
  }

  @Test func headersRoundTripAndAreAligned() throws {
    var buffer: [UInt8] = []
    for name in ["x", "act/conv_1", "quote\" \\ \n\u{1} é🕊"] {
      SafetensorsHeader.encode(
        into: &buffer,
        tensors: [
          (name, .float16, [1, 3, 2]), ("scalar", .float32, []), ("none", .int8, [0, 5]),
        ],
        metadata: [("frame", "12"), (name, "\"\\")])
      #expect(buffer.count % 8 == 0)
      let header = try SafetensorsHeader.decode(
        buffer + [UInt8](repeating: 0, count: 16), source: "test")
      #expect(header.dataOffset == buffer.count)
      #expect(header.dataCount == 16)
      #expect(header.metadata == ["frame": "12", name: "\"\\"])
      #expect(header.entry(name)?.range == 0..<12)
      #expect(header.entry(name)?.shape == [1, 3, 2])
      #expect(header.entry("scalar")?.range == 12..<16)
      #expect(header.entry("none")?.elementType == .int8)
    }
  }

  @Test func otherWritersFormsAreAccepted() throws {
    let header = try SafetensorsHeader.decode(
      message(
        """
        { "b" : {"data_offsets":[8, 12],"shape":[1],"dtype":"F32"} ,
        "a\\u00e9\\ud83d\\udd4a\\/":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}
        """, data: 12), source: "t")
    #expect(header.entries.map(\.name) == ["aé🕊/", "b"])
    #expect(try SafetensorsHeader.decode(message("{}", data: 0), source: "t").entries.isEmpty)
  }

  @Test(arguments: [
    ("", 0), ("[]", 0), ("{", 0), ("{} x", 0), (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 8),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[99999999999,99999999999],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}"#, 4),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      4
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      8
    ), (#"{"__metadata__":{"a":1}}"#, 0), (#"{"__metadata__":{},"__metadata__":{}}"#, 0),
    (#"{"__metadata__":{"a":"\ud83d"}}"#, 0), (#"{"__metadata__":{"a":"x"#, 0),
    (#"{"__metadata__":{"a":"\q"}}"#, 0), (#"{"__metadata__":{"a":"1","a":"2"}}"#, 0),
  ])
  func damagedHeadersAreRefused(json: String, data: Int) {
    let error = #expect(throws: MartletError.self) {
      try SafetensorsHeader.decode(message(json, data: data), source: "odd")
    }
    #expect(error?.description.contains("odd") == true)
  }

  @Test func lengthsThatLieAreRefused() {
    for length in [UInt64.max, 1 << 63, 1 << 40, 3, 0] {
      let bytes =
        (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + [0x7B, 0x7D]
      #expect(throws: MartletError.self) { try SafetensorsHeader.decode(bytes, source: "t") }
    }
    #expect(throws: MartletError.self) { try SafetensorsHeader.decode([1, 2, 3], source: "t") }
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func mutatedMessagesNeverCrash(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var valid: [UInt8] = []
    SafetensorsHeader.encode(
      into: &valid, tensors: [("a\"b", .float32, [2, 3]), ("b", .int8, [7])],
      metadata: [("frame", "1"), ("plan", "é")])
    valid += [UInt8](repeating: 1, count: 31)
    #expect(throws: Never.self) { try SafetensorsHeader.decode(valid, source: "t") }
    for _ in 0..<5000 {
      var bytes = valid
      for _ in 0...(random.next() % 3) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      if random.next() % 4 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
      guard let header = try? SafetensorsHeader.decode(bytes, source: "t") else { continue }
      // What is accepted stays within the message.
      #expect(header.dataOffset + header.dataCount == bytes.count, "seed \(seed)")
      for entry in header.entries {
        #expect(entry.range.count == entry.shape.count * entry.elementType.size, "seed \(seed)")
      }
    }
  }

  @Test func oneTensorCostsLittle() throws {
    var buffer: [UInt8] = []
    let metadata = [
      (key: "frame", value: "123456"), (key: "stage", value: "conv_3"),
      (key: "epoch", value: "1700000000000"), (key: "plan", value: "0123456789abcdef"),
      (key: "seq", value: "99"),
    ]
    let rounds = 20_000
    let clock = ContinuousClock()
    let encoding = clock.measure {
      for _ in 0..<rounds {
        SafetensorsHeader.encode(
          into: &buffer, tensors: [("part", .float32, [1, 64, 56, 56])], metadata: metadata)
      }
    }
    let total = buffer.count + 64 * 56 * 56 * 4
    var found = 0
    let decoding = try clock.measure {
      for _ in 0..<rounds {
        found += try buffer.withUnsafeBytes {
          try SafetensorsHeader.decode($0, total: total, source: "t").entries.count
        }
      }
    }
    print("safetensors header: encode \(encoding / rounds), decode \(decoding / rounds)")
    #expect(found == rounds)
    #if !DEBUG
      #expect(encoding / rounds < .microseconds(200) && decoding / rounds < .microseconds(200))
    #endif
  }
}

@Suite struct SafetensorsFileTests {
  private let tensors: [(name: String, tensor: Tensor)] = [
    ("weight", Tensor([2, 3], [1, -2, 3.5, .pi, 0, 1e-30] as [Float])),
    ("index", Tensor([2], [Int64.min, 7])), ("empty", Tensor([0, 4], [Float]())),
  ]

  @Test func filesRoundTrip() throws {
    try TemporaryFolder.with { folder in
      let path = folder + "/a.safetensors"
      try SafetensorsFile.write(path, tensors: tensors, metadata: [("plan", "x")])
      let file = try SafetensorsFile(path)
      #expect(file.names == ["weight", "index", "empty"])
      #expect(file.header.metadata == ["plan": "x"])
      let read = try SafetensorsFile.read(path)
      for (name, tensor) in tensors { #expect(read[name] == tensor) }
      let error = #expect(throws: MartletError.self) { try file.tensor("bias") }
      #expect(error?.code == .notFound)
      #expect(try FileSystem.list(folder).map(\.path) == ["a.safetensors"])
    }
  }

  @Test func halvesAreWidened() throws {
    try TemporaryFolder.with { folder in
      var bytes: [UInt8] = []
      SafetensorsHeader.encode(into: &bytes, tensors: [("h", .float16, [3])])
      bytes += [0x00, 0x3C, 0x00, 0xC0, 0xFF, 0x7B]
      try FileSystem.write(bytes, to: folder + "/h")
      #expect(try SafetensorsFile.read(folder + "/h")["h"]?.floats == [1, -2, 65504])
    }
  }

  @Test func aTruncatedFileIsRefusedAtEveryLength() throws {
    try TemporaryFolder.with { folder in
      let path = folder + "/a"
      try SafetensorsFile.write(path, tensors: tensors)
      let whole = try FileSystem.read(path)
      for count in 0..<whole.count {
        try FileSystem.write(Array(whole[..<count]), to: path)
        let error = #expect(throws: MartletError.self) { try SafetensorsFile.read(path) }
        #expect(error?.code == .invalidFile)
      }
    }
  }

  @Test func aNameCannotStandTwice() throws {
    try TemporaryFolder.with { folder in
      let error = #expect(throws: MartletError.self) {
        try SafetensorsFile.write(folder + "/a", tensors: [tensors[0], tensors[0]])
      }
      #expect(error?.code == .invalidArgument)
      let left = try FileSystem.list(folder)
      #expect(left.isEmpty)
    }
  }
}
