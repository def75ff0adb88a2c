package import Foundations
package import Plan

extension FailureTable {
  /// When devices are missing from a frame.
  package enum Moment: Sendable, Hashable {
    /// Everybody knew of it: others stand in, and survivors have cut strips anew.
    case later
    /// Somebody was counted on and had died. Copies and parity are there only if they always are.
    case loss(Replicas)
  }

  /// What the frame in which devices die costs, before they have sent any of it.
  package struct AtLoss: Sendable, Equatable {
    /// What copies and parity did.
    package var replicas: Replicas
    /// What stood in for lost rows.
    package var rowFill: Plan.RowFill
    /// The sets of `FailureTable.rows`, in the same order.
    package var rows: [Row]

    /// Makes the part of a table that is about the frame of a loss.
    package init(replicas: Replicas, rowFill: Plan.RowFill, rows: [Row]) {
      self.replicas = replicas
      self.rowFill = rowFill
      self.rows = rows
    }
  }

  /// The same table with what the frame of a loss costs.
  ///
  /// - Throws: `invalidFile` for other failure sets, or numbers that contradict the table's.
  package func adding(_ atLoss: AtLoss) throws(MartletError) -> FailureTable {
    var table = try FailureTable(
      plan: plan, method: method, devices: devices, images: images, imagesDigest: imagesDigest,
      classes: classes, fill: fill, rows: rows, guessAccuracy: guessAccuracy, atLoss: atLoss)
    table.wire = wire
    return table
  }

  /// The rows that say the most of a moment.
  func rows(at moment: Moment) -> [Row] {
    guard case .loss(let replicas) = moment, let atLoss, atLoss.replicas == replicas,
      atLoss.rowFill == .standard
    else { return rows }
    return atLoss.rows
  }
}
