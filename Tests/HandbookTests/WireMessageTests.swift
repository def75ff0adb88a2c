import Foundations
import JSONCoding
import Testing
import WireProtocol

/// The wire contract's JSON messages: its examples are real, and it has a row for every field.
@Suite struct WireMessageTests {
  private let article: Article

  init() throws { article = try Article("WireContract") }

  /// A kind of message, as the article names it.
  struct Kind: Sendable, CustomTestStringConvertible {
    var name: String
    /// Reads a payload with the product's decoder and writes it again.
    var rewrite: @Sendable ([UInt8]) throws -> [UInt8]
    /// The fields that the decoder asks for.
    var fields: @Sendable (JSONValue) throws -> Set<String>
    var testDescription: String { name }

    init<Message: WireMessage>(_ type: Message.Type) {
      name = "\(type)"
      rewrite = { try Message(payload: $0, source: "example").payload() }
      fields = { try FieldLog.fields(of: type, from: $0) }
    }
  }

  static let kinds = [
    Kind(Presence.self), Kind(Heartbeat.self), Kind(DeviceDescription.self),
    Kind(PlanAnnouncement.self), Kind(FrameResult.self), Kind(FrameMetric.self),
    Kind(EnergyMetric.self), Kind(MemoryMetric.self), Kind(SystemMetric.self),
    Kind(HealthRequest.self), Kind(HealthReport.self), Kind(StatsRequest.self),
    Kind(DeviceStats.self), Kind(FaultRequest.self),
  ]

  @Test(arguments: kinds) func examplesAreWhatTheProductReadsAndWrites(_ kind: Kind) throws {
    let examples = article.examples(kind.name)
    try #require(!examples.isEmpty)
    for example in examples {
      let value = try JSON.decode(JSONValue.self, from: Array(example.utf8), source: "example")
      let rewritten = try kind.rewrite(Array(example.utf8))
      let again = try JSON.decode(JSONValue.self, from: rewritten, source: "rewritten")
      #expect(again.sorted == value.sorted)
    }
  }

  @Test(arguments: kinds) func tablesHaveTheFieldsThatTheProductReads(_ kind: Kind) throws {
    var read: Set<String> = []
    var shown: Set<String> = []
    for example in article.examples(kind.name) {
      let value = try JSON.decode(JSONValue.self, from: Array(example.utf8), source: "example")
      let fields = try kind.fields(value)
      read.formUnion(fields)
      shown.formUnion(fields.filter { value.has($0) })
    }
    let documented = Set(article.names("fields: \(kind.name)"))
    #expect(documented.subtracting(read) == [], "documented, but not read")
    let former = article.names("former: \(kind.name)")
    #expect(read.subtracting(documented.union(former)) == [], "read, but not documented")
    #expect(documented.subtracting(shown) == [], "in no example")
  }

  @Test func everyMarkedMessageIsTested() {
    let special = ["TensorHeader", "InputNote", "FillReport", "RPCRequest", "RPCRequest+bytes"]
    let known = Set(Self.kinds.map(\.name) + special + ["RPCReply"])
    for mark in article.marks {
      for prefix in ["example: ", "fields: "] where mark.hasPrefix(prefix) {
        #expect(known.contains(String(mark.dropFirst(prefix.count))), "\(mark)")
      }
    }
  }

  @Test func theWordsOfEachFieldAreThoseOfTheProduct() {
    func check<Words: CaseIterable & RawRepresentable>(_ type: Words.Type, _ name: String)
    where Words.RawValue == String {
      #expect(article.names("values: \(name)") == Words.allCases.map(\.rawValue), "\(name)")
    }
    check(Presence.State.self, "Presence.State")
    check(PeerState.self, "PeerState")
    check(MissingReason.self, "MissingReason")
    check(RejectReason.self, "RejectReason")
    check(MetricKind.self, "MetricKind")
    check(FaultRequest.Kind.self, "FaultRequest.Kind")
    #expect(
      article.table("values: RPCCode").map { $0[0] + $0[1] }
        == RPCCode.allCases.map { "\($0.rawValue)`\($0.name)`" })
  }

  @Test func theStatesThatAreAwaitedAreTheDocumentedOnes() {
    for row in article.table("values: PeerState") {
      let state = PeerState(rawValue: row[0].codeWords.first ?? "")
      #expect((state == .alive) == (row[2] == "yes"), "\(row)")
    }
  }
}

extension JSONValue {
  /// The same with members in the order of their names, and numbers all of one kind.
  var sorted: JSONValue {
    switch self {
    case .object(let members):
      .object(members.map { .init($0.name, $0.value.sorted) }.sorted { $0.name < $1.name })
    case .array(let values): .array(values.map(\.sorted))
    case .integer(let number): .number(Double(number))
    default: self
    }
  }

  /// Whether there is a member `outer.inner`, in any element of lists.
  func has(_ path: String) -> Bool {
    if case .array(let values) = self { return values.contains { $0.has(path) } }
    let names = path.split(separator: ".", maxSplits: 1).map(String.init)
    guard let member = self[names[0]] else { return false }
    return names.count == 1 || member.has(names[1])
  }
}
