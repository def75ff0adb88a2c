import Foundations
import JSONCoding
import Testing

@Suite struct HostileJSONTests {
  @Test(arguments: [
    "", " ", "{", "[1,", "[1 2]", "{\"a\":1,}", "[1,]", "1 2", "{} x", "nul", "nulL", "NaN",
    "[NaN]",
    "Infinity", "-Infinity", "[inf]", "01", "-", "1.", ".5", "1e", "1e+", "+1", "'a'", "{'a':1}",
    "{a:1}", "// c\n1", "/* c */ 1", "\"a", "\"a\nb\"", "\"\\x41\"", "\"\\u12\"", "{\"a\"}", "[]]",
    "{\"a\\u0000b\":1}", "99999999999999999999", "-9223372036854775809", "\u{feff}1", "tru",
    "[1]\u{0}",
    "{\"a\":1 \"b\":2}", "{1:2}", "[,1]",
  ])
  func malformedTextIsRefused(text: String) {
    let error = #expect(throws: MartletError.self) {
      try JSON.decode(JSONValue.self, from: text, source: "odd.json")
    }
    #expect(error?.code == .invalidFile)
    #expect(error?.description.contains("odd.json") == true)
    #expect(error?.context.contains { $0.key == "offset" } == true)
  }

  @Test(arguments: [
    [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
    [0x22, 0xE2, 0x82],
    [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22],
  ])
  func invalidUTF8IsRefused(bytes: [UInt8]) {
    #expect(throws: MartletError.self) {
      try JSON.decode(JSONValue.self, from: bytes, source: "t")
    }
  }

  @Test func theLastOfDuplicateNamesWins() throws {
    #expect(
      try JSON.decode([String: Int].self, from: #"{"a":1,"b":2,"a":3}"#, source: "t")
        == ["a": 3, "b": 2])
  }

  @Test func depthAndSizeAreBounded() throws {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: MartletError.self) { try JSON.decode(JSONValue.self, from: deep, source: "t") }
    let allowed = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
    let value = try JSON.decode(JSONValue.self, from: allowed, source: "t")
    #expect(try JSON.encodeString(value) == allowed)
    let error = #expect(throws: MartletError.self) {
      try JSON.decode(
        JSONValue.self, from: "[1,2,3]", source: "t", limits: .init(bytes: 4, depth: 8))
    }
    #expect(error?.code == .resourceExhausted)

    indirect enum Chain: Encodable {
      case end, link(Chain)
      func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        if case .link(let next) = self { try container.encode(next) }
      }
    }
    let chain = (0..<1000).reduce(Chain.end) { chain, _ in .link(chain) }
    #expect(throws: MartletError.self) { try JSON.encode(chain) }
  }

  struct Plan: Codable {
    struct Layer: Codable {
      var width: Int8
      var name: String
    }
    var layers: [Layer]
  }

  @Test(arguments: [
    (#"{"layers":[{"width":1,"name":"a"},{"width":128,"name":"b"}]}"#, "layers[1].width"),
    (#"{"layers":[{"width":1.5,"name":"a"}]}"#, "layers[0].width"),
    (#"{"layers":[{"width":"1","name":"a"}]}"#, "layers[0].width"),
    (#"{"layers":[{"width":1}]}"#, "name"),
    (#"{"layers":[{"width":1,"name":null}]}"#, "layers[0].name"),
    (#"{"layers":{}}"#, "layers"),
    (#"[]"#, "(root)"),
  ])
  func aValueThatDoesNotFitIsNamed(text: String, path: String) {
    let error = #expect(throws: MartletError.self) {
      try JSON.decode(Plan.self, from: text, source: "plan.json")
    }
    #expect(error?.code == .invalidFile)
    #expect(error?.description.contains(path) == true, "\(String(describing: error))")
  }

  @Test func numbersThatDoNotFitAreRefused() throws {
    #expect(throws: MartletError.self) { try JSON.decode(UInt.self, from: "-1", source: "t") }
    #expect(throws: MartletError.self) {
      try JSON.decode(Int.self, from: "9223372036854775808", source: "t")
    }
    #expect(throws: MartletError.self) { try JSON.decode(Double.self, from: "1e999", source: "t") }
    #expect(throws: MartletError.self) { try JSON.decode(Float.self, from: "1e39", source: "t") }
    #expect(try JSON.decode(Int.self, from: "3.0", source: "t") == 3)
    #expect(try JSON.decode(Int64.self, from: "-9223372036854775808", source: "t") == .min)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func numbersThatJSONLacksAreRefusedWithTheirPath(value: Double) {
    let error = #expect(throws: MartletError.self) {
      try JSON.encode(["metrics": [1, value]])
    }
    #expect(error?.code == .invalidArgument)
    #expect(error?.description.contains("metrics[1]") == true)
    #expect(throws: MartletError.self) { try JSON.encode(["a\u{0}b": 1]) }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func randomAndMutatedDocumentsNeverCrash(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let alphabet = Array("{}[]\",:0123456789.eE+-truefalsn \\ux\n\u{0}".utf8) + [0xC3, 0xA9, 0xFF]
    let sample = Array(
      #"{"layers":[{"width":12,"name":"aé\u00e9"},{"width":-3,"name":""}],"x":[1.5e3,null,true]}"#
        .utf8)
    for _ in 0..<4000 {
      var bytes: [UInt8]
      switch random.next() % 3 {
      case 0:
        bytes = (0..<Int(random.next() % 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      case 1:
        bytes = (0..<Int(random.next() % 40)).map { _ in
          alphabet[Int(random.next() % UInt64(alphabet.count))]
        }
      default:
        bytes = sample
        for _ in 0...(random.next() % 3) {
          bytes[Int(random.next() % UInt64(bytes.count))] =
            alphabet[Int(random.next() % UInt64(alphabet.count))]
        }
      }
      _ = try? JSON.decode(Plan.self, from: bytes, source: "seed \(seed)")
      guard let value = try? JSON.decode(JSONValue.self, from: bytes, source: "seed \(seed)") else {
        continue
      }
      // What was accepted can be written and read again, unless it holds a number out of range.
      guard let text = try? JSON.encode(value) else { continue }
      #expect(
        try JSON.decode(JSONValue.self, from: text, source: "seed \(seed)") == value, "seed \(seed)"
      )
    }
  }
}
