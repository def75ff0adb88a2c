package import Foundations
import JSONCoding

extension FlightReport {
  /// Reads what `martlet report --json` wrote.
  ///
  /// - Throws: `invalidFile` for anything else; `unsupported` for a newer version of the schema.
  package init(json: [UInt8], source: String) throws(MartletError) {
    struct Head: Decodable {
      var format: String
      var version: Int
    }
    let head = try JSON.decode(Head.self, from: json, source: source)
    guard head.format == "martlet-report" else {
      throw MartletError(.invalidFile, "this is not a report", context: ["file": source])
    }
    guard head.version == FlightReport.currentVersion else {
      throw MartletError(
        .unsupported, "a report of another version",
        context: [
          "file": source, "version": "\(head.version)", "known": "\(FlightReport.currentVersion)",
        ])
    }
    self = try JSON.decode(FlightReport.self, from: json, source: source)
    guard runs.count <= 1 << 16, runs.allSatisfy(\.total.isPlausible) else {
      throw MartletError(
        .invalidFile, "the report counts more answers than there can be",
        context: ["file": source])
    }
  }
}

extension FlightReport.Phase {
  /// Whether its counts can be added up over all runs of a report.
  fileprivate var isPlausible: Bool {
    let counts =
      [frames, degradedFrames] + [top1, top5].compactMap { $0 }.flatMap { [$0.correct, $0.of] }
    return counts.allSatisfy((0...1 << 46).contains)
  }
}
