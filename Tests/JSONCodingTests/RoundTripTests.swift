import Foundations
import JSONCoding
import Tensors
import Testing

private enum Mode: String, Codable { case fast, exact }

private struct Inner: Codable, Equatable {
  var a: [Int]
  var b: String?
  var empty: [String] = []
}

private struct Everything: Codable, Equatable {
  var i8: Int8 = -128
  var i16: Int16 = -32768
  var i32: Int32 = .min
  var i64: Int64 = .min
  var u8: UInt8 = 255
  var u16: UInt16 = .max
  var u32: UInt32 = .max
  var u64: UInt64 = .max
  var int: Int = .max
  var uint: UInt = 7
  var flag = true
  var float: Float = 0.1
  var double = 1e-7
  var text = "naïve \"quoted\" / \\ \n\t\u{1} 🕊 \u{0}end"
  var mode = Mode.exact
  var inner = Inner(a: [1, 2, 3], b: nil)
  var list = [Inner(a: [], b: "x")]
  var map = ["zeta": 1, "alpha": 2, "mid": 3]
  var byNumber = [3: "c", 1: "a"]
  var optionals: [Int?] = [1, nil, 3]
  var none: Int?
  var nested = ["a": ["b": [1.5, -0.0]]]
}

private class Base: Codable {
  var x = 1
  init() {}
}

private final class Derived: Base {
  var y = 2
  override init() { super.init() }
  enum Keys: CodingKey { case y }
  required init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Keys.self)
    y = try container.decode(Int.self, forKey: .y)
    try super.init(from: container.superDecoder())
  }
  override func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(y, forKey: .y)
    try super.encode(to: container.superEncoder())
  }
}

/// Uses every kind of nested container by hand.
private struct Manual: Codable, Equatable {
  var values = [1, 2]
  enum Keys: CodingKey { case object, array }
  enum Deep: CodingKey { case first }
  init() {}
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Keys.self)
    let object = try container.nestedContainer(keyedBy: Deep.self, forKey: .object)
    var array = try container.nestedUnkeyedContainer(forKey: .array)
    var inner = try array.nestedUnkeyedContainer()
    let element = try array.nestedContainer(keyedBy: Deep.self)
    let last = try Int(from: array.superDecoder())
    #expect(array.isAtEnd)
    #expect(last == 9)
    #expect(try inner.decode(Int.self) == 5)
    values = [
      try object.decode(Int.self, forKey: .first), try element.decode(Int.self, forKey: .first),
    ]
  }
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    var object = container.nestedContainer(keyedBy: Deep.self, forKey: .object)
    var array = container.nestedUnkeyedContainer(forKey: .array)
    var inner = array.nestedUnkeyedContainer()
    var element = array.nestedContainer(keyedBy: Deep.self)
    try 9.encode(to: array.superEncoder())
    try inner.encode(5)
    try object.encode(values[0], forKey: .first)
    try element.encode(values[1], forKey: .first)
  }
}

@Suite struct RoundTripTests {
  @Test func everyKindOfValue() throws {
    for pretty in [false, true] {
      let bytes = try JSON.encode(Everything(), pretty: pretty)
      #expect(try JSON.decode(Everything.self, from: bytes, source: "test") == Everything())
    }
  }

  @Test func outputIsTheSameEachTimeAndDictionariesAreSorted() throws {
    #expect(
      try JSON.encodeString(["zeta": 1, "alpha": 2, "mid": 3]) == #"{"alpha":2,"mid":3,"zeta":1}"#)
    #expect(
      try JSON.encodeString(Inner(a: [1, 2], b: "t/u")) == #"{"a":[1,2],"b":"t/u","empty":[]}"#)
  }

  @Test func inheritanceAndNestedContainers() throws {
    let derived = Derived()
    derived.x = 41
    derived.y = 42
    let text = try JSON.encodeString(derived)
    #expect(text == #"{"y":42,"super":{"x":41}}"#)
    let back = try JSON.decode(Derived.self, from: text, source: "test")
    #expect(back.x == 41 && back.y == 42)

    let manual = try JSON.encodeString(Manual())
    #expect(manual == #"{"object":{"first":1},"array":[[5],{"first":2},9]}"#)
    #expect(try JSON.decode(Manual.self, from: manual, source: "test") == Manual())
  }

  @Test func scalarsAtTheRoot() throws {
    #expect(try JSON.decode(Int.self, from: "123", source: "t") == 123)
    #expect(try JSON.decode(Double.self, from: " 1.5e3\n", source: "t") == 1500)
    #expect(try JSON.decode(String.self, from: #""\u00e9\ud83d\udd4a""#, source: "t") == "é🕊")
    #expect(try JSON.decode(Bool?.self, from: "null", source: "t") == nil)
    #expect(try JSON.encodeString(true) == "true")
    #expect(try JSON.encodeString("") == "\"\"")
  }

  @Test func numbersTakeTheShortestExactForm() throws {
    #expect(try JSON.encodeString([0.1, 1.0, -0.0, 1e300]) == "[0.1,1.0,-0.0,1e+300]")
    #expect(try JSON.encodeString([Float(0.1), 16_777_216]) == "[0.1,16777216.0]")
    let seed: UInt64 = 11
    var random = SeededGenerator(seed: seed)
    let doubles = (0..<2000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite)
    let floats = (0..<2000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
    }
    .filter(\.isFinite)
    #expect(
      try JSON.decode([Double].self, from: JSON.encode(doubles), source: "seed \(seed)") == doubles)
    #expect(
      try JSON.decode([Float].self, from: JSON.encode(floats), source: "seed \(seed)") == floats)
  }

  @Test func prettyFormIsForReading() throws {
    struct Layer: Codable {
      var name: String
      var shape: [Int]
      var options: [String: Int]
      var indices: [Int]
    }
    let text = try JSON.encodeString(
      [Layer(name: "conv", shape: [1, 3, 8, 8], options: [:], indices: Array(100..<130))],
      pretty: true)
    #expect(
      text == """
        [
          {
            "name": "conv",
            "shape": [1, 3, 8, 8],
            "options": {},
            "indices": [
              100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118,
              119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129
            ]
          }
        ]

        """)
  }

  @Test func dynamicValuesKeepTheirOrder() throws {
    let text = #"{"z":[1,2.5,null,true,"s",{}],"a":{"y":-1,"b":18446744073709551615}}"#
    let value = try JSON.decode(JSONValue.self, from: text, source: "t")
    #expect(
      value["z"]
        == .array([.integer(1), .number(2.5), .null, .bool(true), .string("s"), .object([])]))
    #expect(value["a"]?["y"] == .integer(-1))
    #expect(
      try JSON.encodeString(value)
        == text.replacing("18446744073709551615", with: "1.8446744073709552e+19"))
  }

  @Test func aShapeInAFileIsChecked() throws {
    #expect(try JSON.decode(Shape.self, from: "[1,3,4]", source: "t") == [1, 3, 4])
    let error = #expect(throws: MartletError.self) {
      try JSON.decode([String: Shape].self, from: #"{"s":[-1]}"#, source: "plan.json")
    }
    #expect(error?.code == .invalidShape)
    #expect(error?.description.contains("path: s") == true)
    #expect(error?.description.contains("plan.json") == true)
  }

  @Test func aMegabyteTakesWellUnderASecond() throws {
    struct Part: Codable, Equatable {
      var layer: String
      var device: String
      var channels: [Int]
      var scale: Double
    }
    let parts = (0..<1000).map {
      Part(layer: "layer\($0)", device: "d\($0 % 4)", channels: Array($0..<($0 + 200)), scale: 0.5)
    }
    let clock = ContinuousClock()
    var bytes: [UInt8] = []
    let writing = try clock.measure { bytes = try JSON.encode(parts) }
    var back: [Part] = []
    let reading = try clock.measure {
      back = try JSON.decode([Part].self, from: bytes, source: "t")
    }
    #expect(back == parts)
    print("JSON: \(bytes.count) bytes written in \(writing), read in \(reading)")
    #if !DEBUG
      #expect(writing < .seconds(5) && reading < .seconds(5))
    #endif
  }
}
