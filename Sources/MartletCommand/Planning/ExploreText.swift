// An exploration as text and as CSV.

import Foundations
import Planning
import Resilience
import Tables

extension ExploreReport {
  /// For people: a table, and the fronts in words.
  var text: String {
    var header = ["method", "copies", "weights", "multiply-adds", "after 1", "sent/frame", "0 %"]
    for failures in failures where failures > 0 { header += ["\(failures) %", "worst"] }
    var table = TextTable(header)
    for point in points {
      var cells = [
        point.placed.variant.name, point.copies.formatted(2), point.largestWeightBytes.asBytes,
        point.multiplyAdds.asCount, point.multiplyAddsAfterFailure.asCount,
        point.bytesSent.asBytes,
      ]
      for row in point.summaries {
        let mark = point.front.contains(row.failures) ? "*" : " "
        cells.append(percent(row.average.accuracy) + mark)
        if row.failures > 0 { cells.append(percent(row.minimum.estimate.accuracy)) }
      }
      table.add(cells)
    }
    var lines = [
      "\(model) on \(devices) devices, \(images) images, \(fill) fill, "
        + "\(calibrationImages) calibration images",
      "", table.text, "",
      "Of a device, the most: weights, multiply-adds while all are there and after one failure, "
        + "bytes sent.",
      "Accuracy after so many failures: average and worst over which devices fail.",
      "* Pareto front: no other is cheaper (\(against.rawValue)) and better.", "",
    ]
    for failures in failures where failures > 0 {
      let front = front(failures).map {
        "\($0.placed.variant.name) (\(against.text($0)): \(percent($0.average(failures))) %)"
      }
      lines.append("front after \(failures): " + front.joined(separator: ", "))
    }
    if !leftOut.isEmpty { lines.append("") }
    for one in leftOut { lines.append("left out: \(one.name): \(one.reason)") }
    // The table is as wide as it may be.
    return lines.map { $0.contains("\n") ? $0 : $0.folded }.joined(separator: "\n")
  }

  private func percent(_ share: Double) -> String { (share * 100).formatted(1) }

  /// For spreadsheets: a line for each placement and number of failures.
  var csv: String {
    var lines = [
      "name,series,also,tolerate,survive,budget,devices,fill,images,copies,largest_weight_bytes,"
        + "multiply_adds,multiply_adds_after_failure,bytes_sent,failures,sets,accuracy,low,high,"
        + "top5,worst,worst_failed,best,best_failed,lost_neurons,front"
    ]
    for point in points {
      let facts = [
        point.placed.variant.name, point.placed.variant.series,
        point.placed.also.map(\.name).joined(separator: "; "), point.option("tolerate") ?? "",
        point.option("survive") ?? "", point.placed.variant.budget.map { "\($0)" } ?? "",
        "\(devices)", fill, "\(images)", "\(point.copies)",
        "\(point.largestWeightBytes)", "\(point.multiplyAdds)",
        "\(point.multiplyAddsAfterFailure)", "\(point.bytesSent)",
      ]
      for row in point.summaries.map({ StudyReport.Failures($0, of: point.table) }) {
        lines.append(
          CSVText.line(
            facts + [
              "\(row.failures)", "\(row.sets)", "\(row.average.accuracy)", "\(row.average.low)",
              "\(row.average.high)", "\(row.averageTop5)", "\(row.minimum.top1.accuracy)",
              row.minimum.failed.joined(separator: " "), "\(row.maximum.top1.accuracy)",
              row.maximum.failed.joined(separator: " "), "\(row.lostNeurons)",
              point.front.contains(row.failures) ? "1" : "0",
            ]))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
