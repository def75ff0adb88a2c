import Foundations
import ONNXImport
import Tables

/// What `martlet describe --operators` prints: the registry of the importer.
struct OperatorReport: Encodable {
  private struct Entry: Encodable {
    var name: String
    var firstOpset: Int
    var lastOpset: Int
    var constantsOnly: Bool
    var limits: String?

    private enum CodingKeys: String, CodingKey {
      case name, limits
      case firstOpset = "first_opset"
      case lastOpset = "last_opset"
      case constantsOnly = "constants_only"
    }

    init(_ entry: SupportedOperator) {
      name = entry.name
      firstOpset = entry.opsets.lowerBound
      lastOpset = entry.opsets.upperBound
      constantsOnly = entry.isConstantOnly
      limits = entry.limits
    }
  }

  private let firstOpset = ONNXImporter.supportedOpsets.lowerBound
  private let lastOpset = ONNXImporter.supportedOpsets.upperBound
  private let operators = ONNXImporter.operators.map { Entry($0) }

  private enum CodingKeys: String, CodingKey {
    case operators
    case firstOpset = "first_opset"
    case lastOpset = "last_opset"
  }

  /// Prints a table, or one JSON object.
  func print(json: Bool) throws(MartletError) {
    guard !json else { return try Terminal.printJSON(self) }
    var table = TextTable("operator", "opset", "limits")
    for entry in operators {
      let limits = [entry.constantsOnly ? "constants only" : nil, entry.limits].compactMap { $0 }
      table.add(
        entry.name, "\(entry.firstOpset)-\(entry.lastOpset)", limits.joined(separator: "; "))
    }
    try Terminal.print(table.text)
  }
}
