// A study as text, CSV and chart.

import Charts
import Evaluation
import Foundations
import Plan
import Resilience
import Tables
import TensorFiles

extension StudyReport {
  /// For people: two tables a plan.
  var text: String {
    plans.map { $0.text(images: images) }.joined(separator: "\n\n")
      + (unreadableImages == 0
        ? "" : "\n\n\(images) images" + UnreadableImages.note(unreadableImages))
  }

  /// For spreadsheets: a line a failure set, and where the frame of the loss was studied, one more for
  /// that, and a column that says which.
  var csv: String {
    let hasMoments = plans.contains { $0.atLoss != nil }
    var lines = [
      "plan,label,method,devices,fill,images,failures,failed,correct,accuracy,low,high,top5,"
        + "confidence,lost_neurons" + (hasMoments ? ",moment" : "")
    ]
    for plan in plans {
      let moments = [("later", plan.sets), ("loss", plan.atLoss?.sets ?? [])]
      for (moment, sets) in moments {
        for set in sets {
          let fields = [
            plan.plan, plan.label, plan.method, "\(plan.devices.count)", plan.fill, "\(images)",
            "\(set.failed.count)", set.failed.joined(separator: " "), "\(set.correct)",
            "\(set.top1.accuracy)", "\(set.top1.low)", "\(set.top1.high)", "\(set.top5)",
            "\(set.confidence)", "\(set.lostNeurons)",
          ]
          lines.append(CSVText.line(hasMoments ? fields + [moment] : fields))
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Bars by number of devices and failures, one colour a method, whiskers from the worst to the best
  /// choice of failing devices.
  var chart: BarChart {
    var groups: [Group] = []
    var labels: [String] = []
    for plan in plans {
      if !labels.contains(plan.label) { labels.append(plan.label) }
      for failures in plan.failures where failures.failures > 0 {
        let group = Group(devices: plan.devices.count, failures: failures.failures)
        if !groups.contains(group) { groups.append(group) }
      }
    }
    groups.sort { ($1.devices, $0.failures) < ($0.devices, $1.failures) }
    func series(
      _ name: String, _ label: String, _ failures: (PlanReport) -> [Failures]
    ) -> BarChart.Series {
      BarChart.Series(
        name: name,
        bars: groups.map { group in
          plans.first { $0.label == label && $0.devices.count == group.devices }
            .flatMap { plan in failures(plan).first { $0.failures == group.failures } }
            .map {
              BarChart.Bar(
                $0.average.accuracy * 100, low: $0.minimum.top1.accuracy * 100,
                high: $0.maximum.top1.accuracy * 100)
            }
        })
    }
    let hasMoments = plans.contains { $0.atLoss != nil }
    let allSeries = labels.flatMap { label in
      [series(label, label, \.failures)]
        + (hasMoments
          ? [series(label + ", frame of the loss", label) { $0.atLoss?.failures ?? [] }] : [])
    }
    let clean = plans[0].failures[0].average.accuracy * 100
    return BarChart(
      title: "\(model): accuracy after device failures",
      description: "Top-1 accuracy on \(images) images when devices fail. "
        + "Bars: average over which devices fail. Whiskers: worst to best.",
      valueLabel: "top-1 accuracy, %", groups: groups.map(\.name), series: allSeries,
      references: [.init(name: "no failures", value: clean)])
  }

  private struct Group: Equatable {
    var devices: Int
    var failures: Int

    var name: String {
      let scenario = FailureTable.scenario(devices: devices).map { "\($0): " } ?? ""
      return "\(scenario)\(failures) of \(devices) fail\(failures == 1 ? "s" : "")"
    }
  }
}

extension StudyReport.PlanReport {
  fileprivate func text(images: Int) -> String {
    var byDevice = TextTable(
      "device", "neurons", "weights", "of model", "multiply-adds", "sent/frame", "received/frame")
    for device in devices {
      byDevice.add(
        device.name, "\(Self.percent(device.copies)) %", device.cost.weightBytes.asBytes,
        "\(Self.percent(device.weightCopies)) %", device.cost.multiplyAdds.asCount,
        device.cost.bytesSent.asBytes, device.cost.bytesReceived.asBytes)
    }
    let title =
      "\(label), plan \(plan), \(devices.count) devices"
      + (scenario.map { " (scenario \($0))" } ?? "") + ", \(images) images, \(fill) fill"
      + (wire.map { ", on the wire \($0)" } ?? "")
    var text = "\(title.folded)\n\n\(Self.table(failures))\n\n"
    if let atLoss {
      let heading =
        "in the frame in which the devices die, copies \(atLoss.replicas), lost rows "
        + "\(atLoss.rowFill):"
      text += "\(heading.folded)\n\n\(Self.table(atLoss.failures))\n\n"
    }
    text += "\(byDevice.text)\n\n"
    text += "copies: \(copies.formatted(2)) of the neurons, "
    text += "\(weightCopies.formatted(2)) of the weights"
    if let expectedAccuracy, let reliabilities {
      let values = reliabilities.map { "\($0)" }.joined(separator: ", ")
      let expected = (expectedAccuracy * 100).formatted(3)
      text += "\n" + "expected accuracy: \(expected) % for reliabilities \(values)".folded
    }
    return text
  }

  private static func table(_ failures: [StudyReport.Failures]) -> String {
    var table = TextTable(
      "failures", "sets", "average %", "95 %", "worst %", "without", "best %", "without",
      "top-5 %", "neurons lost")
    for row in failures {
      table.add(
        "\(row.failures)", "\(row.sets)", percent(row.average.accuracy),
        "\(percent(row.average.low))-\(percent(row.average.high))",
        percent(row.minimum.top1.accuracy), list(row.minimum.failed),
        percent(row.maximum.top1.accuracy), list(row.maximum.failed), percent(row.averageTop5),
        row.lostNeurons.formatted(1))
    }
    return table.text
  }

  private static func percent(_ share: Double) -> String { (share * 100).formatted(1) }

  private static func list(_ failed: [String]) -> String {
    failed.isEmpty ? "-" : failed.joined(separator: ",")
  }
}
