package import Foundations
package import Inspection
import Tables
import WireProtocol

/// A deployment's page as lines of a terminal of any size.
package enum DeploymentPageText {
  /// At most `height` lines of at most `width` columns.
  ///
  /// - Parameters:
  ///   - title: what is looked at.
  ///   - clock: the time of day in words.
  package static func lines(
    _ page: DeploymentPage, title: String, clock: String, width: Int, height: Int,
    at now: MonotonicTime
  ) -> [StyledText] {
    let blocks = [devices(page, now), topics(page, now), answers(page, now)]
    // The title, and an empty line before each block.
    let heights = heights(of: blocks.map(\.count), room: height - 1 - blocks.count)
    var lines = [head(page, title, clock, width, now)]
    for (block, rows) in zip(blocks, heights) where rows > 0 {
      lines.append(StyledText())
      lines += block.prefix(rows)
    }
    return lines.prefix(max(0, height)).map { $0.prefix(width) }
  }

  /// Half of the room is the devices' if they need it, and what the others leave.
  private static func heights(of wanted: [Int], room: Int) -> [Int] {
    let others = shares(of: room - min(wanted[0], room / 2), wanted: Array(wanted[1...]))
    return [max(0, room - others.reduce(0, +))] + others
  }

  /// Divides lines among blocks: what a block does not need goes to the others.
  package static func shares(of room: Int, wanted: [Int]) -> [Int] {
    var result = wanted.map { _ in 0 }
    var left = max(0, room)
    while left > 0 {
      let open = wanted.indices.filter { result[$0] < wanted[$0] }
      if open.isEmpty { break }
      for index in open where left > 0 {
        result[index] += 1
        left -= 1
      }
    }
    return result
  }

  private static func head(
    _ page: DeploymentPage, _ title: String, _ clock: String, _ width: Int, _ now: MonotonicTime
  ) -> StyledText {
    let rates = page.traffic.total.recent.rates(at: now)
    let answers = page.answers.recent.rates(at: now).messages
    var text = " \(title)  "
    text +=
      page.isConnected
      ? "\(rates.messages.formatted(0)) messages/s  \(rates.bytes.asBytes)/s  "
        + "\(answers.formatted(1)) answers/s"
      : "the broker is not reached: trying again"
    if page.dropped > 0 { text += "  \(page.dropped) messages left out" }
    if page.unreadable > 0 { text += "  \(page.unreadable) unreadable" }
    let end = "  \(clock)  q quits "
    var line = StyledText(text, page.isConnected ? .reverse : .bad)
    let gap = width - line.width - end.count
    if gap >= 0 { line.append(String(repeating: " ", count: gap) + end, .reverse) }
    return line
  }

  private static func devices(_ page: DeploymentPage, _ now: MonotonicTime) -> [StyledText] {
    let rows = page.rows(at: now)
    var table = TextTable("device", "state", "beat", "frames/s", "memory", "watts", "fills")
    for row in rows {
      let fills = row.fills.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
      table.add(
        row.device.device, row.device.state.rawValue,
        row.device.beatAgeMilliseconds.map { age(Double($0) / 1e3) } ?? "-",
        row.framesPerSecond?.formatted(1) ?? "-",
        row.device.residentBytes.map { Int(clamping: $0).asBytes } ?? "-",
        row.watts.map { (row.isEstimate ? "~" : "") + $0.formatted(2) } ?? "-",
        fills.isEmpty ? "-" : fills)
    }
    if rows.isEmpty { return [StyledText("no device has said anything yet", .dim)] }
    return lines(table, styles: rows.map { style($0.device.state) })
  }

  private static func style(_ state: PeerState) -> StyledText.Style {
    switch state {
    case .alive: .plain
    case .unknown: .dim
    case .draining, .suspect: .warning
    case .lost, .fenced: .bad
    }
  }

  private static func topics(_ page: DeploymentPage, _ now: MonotonicTime) -> [StyledText] {
    let rows = page.traffic.topics.map { topic, entry in
      (
        name: TopicSelection.short(topic, root: page.root), entry: entry,
        rates: entry.recent.rates(at: now)
      )
    }.sorted {
      ($1.rates.bytes, $1.entry.bytes, $0.name) < ($0.rates.bytes, $0.entry.bytes, $1.name)
    }
    var table = TextTable("topic", "messages/s", "bytes/s", "last size", "last seen")
    for row in rows {
      table.add(
        VisibleText.visible(row.name), row.rates.messages.formatted(1),
        row.rates.bytes.asBytes, row.entry.lastBytes.asBytes,
        age(Double(now.nanoseconds(since: row.entry.lastSeen)) / 1e9))
    }
    return lines(table, styles: rows.map { $0.rates.messages > 0 ? .plain : .dim })
  }

  private static func answers(_ page: DeploymentPage, _ now: MonotonicTime) -> [StyledText] {
    let log = page.answers
    guard !log.latest.isEmpty else { return [StyledText("no answers yet", .dim)] }
    var table = TextTable(
      "degraded \(log.degradedAnswers) of \(log.answers)", "client", "frame", "answer", "ms",
      "missing parts")
    for entry in log.latest {
      let missing = entry.missing.map { "\($0.what) ×\($0.parts)" }.joined(separator: ", ")
      table.add(
        age(Double(now.nanoseconds(since: entry.time)) / 1e9) + " ago", entry.client,
        "\(entry.frame)",
        VisibleText.visible(String(entry.label.prefix(24)))
          + " \((entry.confidence * 100).formatted(0)) %",
        entry.latencyMilliseconds.formatted(1), missing.isEmpty ? "-" : missing)
    }
    return lines(table, styles: log.latest.map { $0.missing.isEmpty ? .plain : .warning })
  }

  private static func lines(_ table: TextTable, styles: [StyledText.Style]) -> [StyledText] {
    let lines = table.text(width: .max).split(separator: "\n", omittingEmptySubsequences: false)
    return zip(lines, [.bold] + styles).map { StyledText(String($0), $1) }
  }

  private static func age(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: seconds.formatted(1) + " s"
    case ..<7200: (seconds / 60).formatted(0) + " min"
    default: (seconds / 3600).formatted(0) + " h"
    }
  }
}
