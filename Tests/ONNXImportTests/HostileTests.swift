import Foundations
import ModelGraph
import ONNXImport
import Testing

/// Files that are wrong, by accident or on purpose: each gives an error, quickly and in little memory.
@Suite struct HostileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func failure(_ bytes: [UInt8]) throws -> MartletError.Code? {
    do {
      _ = try ONNXImporter.load(path: folder.write(bytes))
      return nil
    } catch let error as MartletError {
      #expect(error.description.contains("file"))
      return error.code
    }
  }

  @Test func missingFile() throws {
    #expect(throws: MartletError.self) { try ONNXImporter.load(path: "\(folder.path)/none") }
    #expect(throws: MartletError.self) { try ONNXImporter.load(path: folder.path) }
    #expect(throws: MartletError.self) { try ONNXImporter.load(path: "/dev/zero") }
  }

  @Test func everyTruncation() throws {
    let bytes = ModelWriter.small.bytes
    for length in 0..<bytes.count {
      #expect(try failure(Array(bytes[..<length])) != nil, "\(length) bytes")
    }
  }

  /// A model that is cut off says so, and how long it ought to be.
  @Test func aTruncatedModelSaysWhatToDo() throws {
    let bytes = ModelWriter.small.bytes
    do {
      _ = try ONNXImporter.load(path: folder.write(Array(bytes[..<(bytes.count / 2)])))
      Issue.record("half a model was accepted")
    } catch let error as MartletError {
      #expect(error.message.contains("truncated"))
      #expect(error.hint?.contains("download it again") == true)
      let expected = error.context.first { $0.key == "expected bytes" }?.value.split(separator: " ")
      let least = try #require(expected?.first.flatMap { Int($0) })
      #expect(least > bytes.count / 2 && least <= bytes.count, "\(error)")
    }
  }

  @Test func notAModel() throws {
    #expect(try failure(Array("#!/bin/sh\necho hello\n".utf8)) == .invalidFile)
    #expect(try failure([]) == .invalidFile)
  }

  @Test func lengthsThatLie() throws {
    // A graph that claims 2^62 bytes.
    #expect(try failure([8, 8, 7 << 3 | 2] + Message.varint(1 << 62)) == .invalidFile)
    var model = ModelWriter.small
    model.initialisers[0] = ModelWriter.tensor("w", [3, 2, 3, 3], type: 1, raw: [0, 0, 0, 0])
    #expect(try failure(model.bytes) == .invalidFile)
  }

  @Test func hugeShapes() throws {
    var model = ModelWriter.small
    model.initialisers[0] = ModelWriter.tensor(
      "w", [1 << 40, 1 << 40], type: 1, raw: [0, 0, 0, 0])
    #expect(try failure(model.bytes) == .invalidShape)
    model = ModelWriter.small
    model.inputs = []
    model.input("x", [.fixed(1), .fixed(2), .fixed(1 << 40), .fixed(6)])
    #expect(try failure(model.bytes) == .invalidShape)
    model = ModelWriter.small
    model.initialisers[0] = ModelWriter.tensor("w", [-3, 2, 3, 3], type: 1, raw: [])
    #expect(try failure(model.bytes) == .invalidShape)
  }

  @Test func constantsThatGrow() throws {
    var model = ModelWriter()
    model.integers("huge", [1 << 15, 1 << 17])
    model.node("ConstantOfShape", ["huge"], ["y"])
    model.output("y")
    #expect(try failure(model.bytes) == .resourceExhausted)
    model = ModelWriter()
    model.floats("v0", [1], [1])
    for step in 0..<40 {
      model.node("Concat", ["v\(step)", "v\(step)"], ["v\(step + 1)"], numbers: ["axis": 0])
    }
    model.output("v40")
    #expect(try failure(model.bytes) == .resourceExhausted)
  }

  @Test func cycle() throws {
    var model = ModelWriter()
    model.input("x", [.fixed(1)])
    model.node("Add", ["x", "b"], ["a"])
    model.node("Relu", ["a"], ["b"])
    model.output("b")
    #expect(try failure(model.bytes) == .invalidFile)
  }

  @Test func duplicatesAndGaps() throws {
    var model = ModelWriter.small
    model.node("Relu", ["r"], ["p"])
    #expect(try failure(model.bytes) == .invalidFile)
    model = ModelWriter.small
    model.floats("w", [1], [1])
    #expect(try failure(model.bytes) == .invalidFile)
    model = ModelWriter.small
    model.nodes.remove(at: 1)
    #expect(try failure(model.bytes) == .invalidFile)
    model = ModelWriter.small
    model.outputs = []
    #expect(try failure(model.bytes) == .invalidFile)
    model.output("nothing")
    #expect(try failure(model.bytes) == .invalidFile)
  }

  @Test func deepNesting() throws {
    // Groups in groups, in a field that is skipped, and messages in messages.
    let groups = [UInt8](repeating: 30 << 3 & 0x7F | 3, count: 100_000)
    #expect(try failure([8, 8] + groups) != nil)
    var message = Message()
    for _ in 0..<2000 {
      var outer = Message()
      outer.add(7, message)
      message = outer
    }
    #expect(try failure(message.bytes) != nil)
  }

  @Test func wrongAttributes() throws {
    let changes: [(String, [Int])] = [
      ("pads", [1]), ("pads", [-1, 0, 0, 0]), ("strides", [0, 0]), ("kernel_shape", [3]),
      ("dilations", [Int.max, Int.max]), ("strides", [Int.min, 1]),
      ("pads", [Int.max, Int.max, Int.max, Int.max]),
    ]
    for (name, values) in changes {
      var model = ModelWriter.small
      model.nodes[0] = {
        var other = ModelWriter()
        other.node("Conv", ["x", "w", "b"], ["c"], integers: [name: values])
        return other.nodes[0]
      }()
      #expect(try failure(model.bytes) != nil, "\(name) \(values)")
    }
  }

  /// Random damage to a valid model never does worse than an error.
  @Test(arguments: 0..<8) func mutations(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let original = ModelWriter.small.bytes
    for round in 0..<250 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[position] = .random(in: 0...255, using: &generator)
        case 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes.remove(at: position)
        default:
          bytes.insert(
            [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0, at: position)
        }
      }
      do {
        let graph = try ONNXImporter.load(path: folder.write(bytes))
        #expect(throws: Never.self, "seed \(seed), round \(round)") { try graph.validate() }
      } catch is MartletError {
        continue
      }
    }
  }
}
