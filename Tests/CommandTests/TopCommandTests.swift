import Foundations
import Glibc
import Logging
import MQTT
import Processes
import TestSupport
import Testing
import WireProtocol

/// `martlet top` on a pseudo-terminal, against a real broker.
extension CommandTests {
  private static let entering = "\u{1B}[?1049h"
  private static let leaving = "\u{1B}[?25h\u{1B}[?1049l"

  /// Runs `body` with `martlet top` on a page of 100 by 20 and one device that beats once.
  private func withTop(
    _ body: (Pseudoterminal, ChildProcess, EmbeddedBroker) throws -> Void
  ) throws {
    try withEmbeddedBroker { broker in
      let client = try MQTTClient(
        MQTTConfiguration(address: try BrokerAddress(parsing: broker.socketAddress)),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      try client.connect(timeout: .seconds(10))
      defer { client.close() }
      let presence = Presence(state: .ready, epoch: 5, heartbeatMilliseconds: 60_000, version: "1")
      let beat = Heartbeat(
        epoch: 5, sequence: 1, frame: 1, queue: 0, residentBytes: 12_300_000)
      try client.publish(
        MQTTMessage(
          topic: "martlet/1/default/presence/d0", payload: try presence.payload(),
          quality: .atLeastOnce, retain: true))
      try client.publish(
        MQTTMessage(
          topic: "martlet/1/default/heartbeat/d0", payload: try beat.payload(),
          quality: .atLeastOnce, retain: true))
      try client.flush(timeout: .seconds(10))
      let terminal = try Pseudoterminal(columns: 100, rows: 20)
      let before = terminal.modes
      let top = try terminal.start(
        try martletExecutable(), ["top", "--broker", broker.socketAddress, "--every", "100ms"])
      defer { top.stop(patience: .zero) }
      let isThere = terminal.wait { _ in
        terminal.page.contains { line in
          line.hasPrefix("d0 ") && line.contains("alive") && line.contains("12.3 MB")
        }
      }
      #expect(isThere, "\(terminal.output)")
      #expect(terminal.output.contains(Self.entering) && terminal.modes != before)
      try body(terminal, top, broker)
      let hasLeft = terminal.wait { _ in top.exitStatus != nil }
      #expect(hasLeft, "still running")
      terminal.read(milliseconds: 100)
      #expect(terminal.output.contains(Self.leaving))
      #expect(terminal.modes == before)
    }
  }

  @Test(arguments: [UInt8(ascii: "q"), UInt8(ascii: "Q"), 3])
  func topEndsByKey(_ key: UInt8) throws {
    try withTop { terminal, top, _ in
      terminal.type(UInt8(ascii: "x"), 0x1B, UInt8(ascii: "["), UInt8(ascii: "A"), key)
      let hasEnded = terminal.wait { _ in top.exitStatus != nil }
      #expect(hasEnded && top.exitStatus == .exited(0))
    }
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func topEndsBySignal(_ signal: Int32) throws {
    try withTop { terminal, top, _ in
      top.signal(signal)
      let hasEnded = terminal.wait { _ in top.exitStatus != nil }
      #expect(hasEnded && top.exitStatus == .exited(0))
    }
  }

  @Test(arguments: [SIGHUP, SIGABRT, SIGSEGV])
  func topPutsTheTerminalBackWhenItDies(_ signal: Int32) throws {
    try withTop { terminal, top, _ in
      top.signal(signal)
      let hasEnded = terminal.wait { _ in top.exitStatus != nil }
      #expect(hasEnded && top.exitStatus == .signalled(signal))
    }
  }

  @Test func topFollowsTheSizeOfItsTerminal() throws {
    try withTop { terminal, top, _ in
      #expect(terminal.page.count == 20 && terminal.page[0].count == 100)
      for (columns, rows) in [(40, 8), (8, 3), (150, 40)] as [(UInt16, UInt16)] {
        terminal.clear()
        terminal.resize(columns: columns, rows: rows)
        top.signal(SIGWINCH)
        let isResized = terminal.wait { _ in
          terminal.page.count == rows && terminal.page.allSatisfy { $0.count <= columns }
        }
        #expect(isResized, "\(columns)x\(rows): \(terminal.page)")
      }
      terminal.type(UInt8(ascii: "q"))
    }
  }

  @Test func topSaysThatTheBrokerIsGone() throws {
    try withTop { terminal, _, broker in
      broker.shutDown()
      let says = terminal.wait { _ in terminal.page[0].contains("the broker is not reached") }
      #expect(says)
      try broker.restart()
      terminal.clear()
      let isBack = terminal.wait { _ in terminal.page.first?.contains("messages/s") == true }
      #expect(isBack)
      terminal.type(UInt8(ascii: "q"))
    }
  }

  @Test func topNeedsATerminal() throws {
    try Workplace.with { place in
      let outcome = try place.run("top", "--broker", "unix:/nowhere")
      #expect(outcome.status == .exited(64) && outcome.output.isEmpty)
      #expect(outcome.error.contains("martlet inspect --stats"))
    }
    let terminal = try Pseudoterminal(columns: 80, rows: 24)
    let before = terminal.modes
    let top = try terminal.start(
      try martletExecutable(), ["top", "--broker", "unix:/nowhere", "--patience", "200ms"])
    let hasEnded = terminal.wait { _ in top.exitStatus != nil }
    #expect(hasEnded && top.exitStatus == .exited(69))
    #expect(!terminal.output.contains(Self.entering) && terminal.modes == before)
  }
}
