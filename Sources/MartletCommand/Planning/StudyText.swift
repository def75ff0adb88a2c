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

  /// For spreadsheets: a line a failure set.
  var csv: String {
    var lines = [
      "plan,label,method,devices,fill,images,failures,failed,correct,accuracy,low,high,top5,"
        + "confidence,lost_neurons"
    ]
    for plan in plans {
      for set in plan.sets {
        let fields = [
          plan.plan, plan.label, plan.method, "\(plan.devices.count)", plan.fill, "\(images)",
          "\(set.failed.count)", set.failed.joined(separator: " "), "\(set.correct)",
          "\(set.top1.accuracy)", "\(set.top1.low)", "\(set.top1.high)", "\(set.top5)",
          "\(set.confidence)", "\(set.lostNeurons)",
        ]
        lines.append(CSVText.line(fields))
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
    let series = labels.map { label in
      BarChart.Series(
        name: label,
        bars: groups.map { group in
          plans.first { $0.label == label && $0.devices.count == group.devices }?
            .failures.first { $0.failures == group.failures }
            .map {
              BarChart.Bar(
                $0.average.accuracy * 100, low: $0.minimum.top1.accuracy * 100,
                high: $0.maximum.top1.accuracy * 100)
            }
        })
    }
    let clean = plans[0].failures[0].average.accuracy * 100
    return BarChart(
      title: "\(model): accuracy after device failures",
      description: "Top-1 accuracy on \(images) images when devices fail. "
        + "Bars: average over which devices fail. Whiskers: worst to best.",
      valueLabel: "top-1 accuracy, %", groups: groups.map(\.name), series: series,
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
    var byDevice = TextTable(
      "device", "neurons", "weights", "of model", "multiply-adds", "sent/frame", "received/frame")
    for device in devices {
      byDevice.add(
        device.name, "\(percent(device.copies)) %", device.cost.weightBytes.asBytes,
        "\(percent(device.weightCopies)) %", device.cost.multiplyAdds.asCount,
        device.cost.bytesSent.asBytes, device.cost.bytesReceived.asBytes)
    }
    let title =
      "\(label), plan \(plan), \(devices.count) devices"
      + (scenario.map { " (scenario \($0))" } ?? "") + ", \(images) images, \(fill) fill"
      + (wire.map { ", on the wire \($0)" } ?? "")
    var text = "\(title.folded)\n\n\(table.text)\n\n\(byDevice.text)\n\n"
    text += "copies: \(copies.formatted(2)) of the neurons, "
    text += "\(weightCopies.formatted(2)) of the weights"
    if let expectedAccuracy, let reliabilities {
      let values = reliabilities.map { "\($0)" }.joined(separator: ", ")
      let expected = (expectedAccuracy * 100).formatted(3)
      text += "\n" + "expected accuracy: \(expected) % for reliabilities \(values)".folded
    }
    return text
  }

  private func percent(_ share: Double) -> String { (share * 100).formatted(1) }

  private func list(_ failed: [String]) -> String {
    failed.isEmpty ? "-" : failed.joined(separator: ",")
  }
}
