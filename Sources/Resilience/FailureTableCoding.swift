package import Foundations
import JSONCoding
package import Plan
import TensorFiles

/// `study.json`: a `FailureTable` in a form that people can read.
private struct StudyDocument: Codable {
  static let format = "martlet-study"
  static let version = 1

  struct Row: Codable {
    var failed: [String]
    var correct: Int
    var correctTop5: Int
    var confidence: Double
    var lostNeurons: Int
    /// Absent for answers.
    var guess: Bool?

    private enum CodingKeys: String, CodingKey {
      case failed, correct, confidence, guess
      case correctTop5 = "correct_top5"
      case lostNeurons = "lost_neurons"
    }
  }

  /// Absent where only later frames were studied.
  struct AtLoss: Codable {
    var replicas: String
    var rowFill: String
    var rows: [Row]

    private enum CodingKeys: String, CodingKey {
      case replicas, rows
      case rowFill = "row_fill"
    }
  }

  struct Stamp: Codable {
    var format: String
    var version: Int
  }

  var format = StudyDocument.format
  var version = StudyDocument.version
  var plan: String
  var method: String
  var devices: [String]
  var images: Int
  var imagesDigest: String
  var classes: Int
  var fill: String
  var wire: String?
  var guessAccuracy: Double?
  var rows: [Row]
  var atLoss: AtLoss?

  private enum CodingKeys: String, CodingKey {
    case format, version, plan, method, devices, images, classes, fill, wire, rows
    case imagesDigest = "images_sha256"
    case guessAccuracy = "guess_accuracy"
    case atLoss = "at_loss"
  }
}

extension StudyDocument.Row {
  fileprivate init(_ row: FailureTable.Row, devices: [String]) {
    self.init(
      failed: row.failed.map { devices[$0] }, correct: row.correct, correctTop5: row.correctTop5,
      confidence: row.confidence, lostNeurons: row.lostNeurons, guess: row.isGuess ? true : nil)
  }
}

extension FailureTable {
  /// The document, as JSON.
  package func encoded() throws(MartletError) -> [UInt8] {
    try JSON.encode(
      StudyDocument(
        plan: plan, method: method, devices: devices, images: images, imagesDigest: imagesDigest,
        classes: classes, fill: fill.rawValue, wire: wire, guessAccuracy: guessAccuracy,
        rows: rows.map { .init($0, devices: devices) },
        atLoss: atLoss.map { atLoss in
          .init(
            replicas: atLoss.replicas.rawValue, rowFill: atLoss.rowFill.rawValue,
            rows: atLoss.rows.map { .init($0, devices: devices) })
        }), pretty: true)
  }

  /// Reads what `encoded` gives.
  ///
  /// - Parameter source: named in errors.
  /// - Throws: `invalidFile` for anything else, `mismatch` for another version.
  package init(decoding bytes: [UInt8], source: String) throws(MartletError) {
    let stamp = try JSON.decode(StudyDocument.Stamp.self, from: bytes, source: source)
    guard stamp.format == StudyDocument.format else {
      throw MartletError(.invalidFile, "this is no study of martlet", context: ["file": source])
    }
    guard stamp.version == StudyDocument.version else {
      throw MartletError(
        .mismatch,
        "the study has version \(stamp.version), this martlet reads version \(StudyDocument.version)",
        context: ["file": source], hint: "run martlet study again")
    }
    let document = try JSON.decode(StudyDocument.self, from: bytes, source: source)
    let number = Dictionary(
      document.devices.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    func read(_ rows: [StudyDocument.Row]) throws(MartletError) -> [Row] {
      var result: [Row] = []
      for row in rows {
        let failed = row.failed.compactMap { number[$0] }
        guard failed.count == row.failed.count else {
          throw MartletError(
            .invalidFile, "a failure table names a device that it does not have",
            context: ["failed": row.failed.joined(separator: ", ")])
        }
        result.append(
          Row(
            failed: failed, correct: row.correct, correctTop5: row.correctTop5,
            confidence: row.confidence, lostNeurons: row.lostNeurons,
            isGuess: row.guess ?? false))
      }
      return result
    }
    do throws(MartletError) {
      guard let fill = Plan.Fill.Kind(rawValue: document.fill) else {
        let kinds = Plan.Fill.Kind.allCases.map(\.rawValue).joined(separator: " or ")
        throw FailureTable.error("has the fill \(kinds)")
      }
      let atLoss = try document.atLoss.map { atLoss throws(MartletError) in
        guard let replicas = Replicas(rawValue: atLoss.replicas),
          let rowFill = Plan.RowFill(rawValue: atLoss.rowFill)
        else {
          throw FailureTable.error("says what copies did in the frame of a loss, and lost rows got")
        }
        return AtLoss(replicas: replicas, rowFill: rowFill, rows: try read(atLoss.rows))
      }
      try self.init(
        plan: document.plan, method: document.method, devices: document.devices,
        images: document.images, imagesDigest: document.imagesDigest, classes: document.classes,
        fill: fill, rows: try read(document.rows), guessAccuracy: document.guessAccuracy,
        atLoss: atLoss)
      wire = document.wire
    } catch {
      throw error.adding("file", source)
    }
  }

  /// Reads the study of a plan from its folder, or nil when there is none: what a running system may
  /// expect of the devices it has, see `expectedAccuracy(alive:)`. Devices have the plan's numbers.
  ///
  /// - Throws: `mismatch` when it is another plan's; what reading and decoding throw.
  package static func read(beside folder: PlanFolder) throws(MartletError) -> FailureTable? {
    let path = folder.path + "/" + PlanFolder.studyName
    guard FileSystem.exists(path) else { return nil }
    let table = try FailureTable(
      decoding: try FileSystem.read(path, limit: 64 << 20), source: path)
    guard table.plan == folder.id, table.devices == folder.plan.devices.map(\.name) else {
      throw MartletError(
        .mismatch, "the study in the plan's folder is of another plan",
        context: ["file": path, "plan": folder.id, "studied": table.plan],
        hint: "run martlet study again")
    }
    return table
  }
}
