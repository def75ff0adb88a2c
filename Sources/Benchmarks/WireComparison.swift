package import Foundations
import MQTT
import Processes

/// `tools/bench/wire`: this package's MQTT client against a bare libmosquitto program, both through
/// the same broker, taking turns, compared by the ratio of medians.
package struct WireComparison: Sendable {
  /// The compiled `tools/bench/wire.c`.
  package var referenceProgram: String
  /// A program and first arguments that print `WireBenchmark.Result.line` for the same further
  /// arguments as the reference program's (`wireOnce` does that), so that both start afresh.
  package var clientCommand: [String]
  /// Message sizes in bytes.
  package var sizes: [Int]
  /// Turns of each program at each point.
  package var rounds: Int
  /// The most bytes of one MQTT message; 0 sends each in one piece.
  package var chunkBytes: Int

  /// 4 KB, 64 KB, 1 MB and 4 MB in one piece, fifteen turns each, unless told otherwise.
  package init(
    referenceProgram: String, clientCommand: [String],
    sizes: [Int] = [4096, 65536, 1 << 20, 4 << 20], rounds: Int = 15,
    chunkBytes: Int = 0
  ) {
    self.referenceProgram = referenceProgram
    self.clientCommand = clientCommand
    self.sizes = sizes
    self.rounds = rounds
    self.chunkBytes = chunkBytes
  }

  /// One point: a transport, a mode and a size.
  package struct Row: Sendable {
    /// `unix` or `tcp`.
    package var transport: String
    /// What was timed.
    package var mode: WireBenchmark.Mode
    /// The message size in bytes.
    package var bytes: Int
    /// What each turn of this client gave.
    package var clientTurns: [WireBenchmark.Result]
    /// The same for the reference program.
    package var referenceTurns: [WireBenchmark.Result]
    /// The median over the turns of this client: microseconds, or megabytes per second.
    package var client: Double { median(clientTurns.map(figure)) }
    /// The same for the reference program.
    package var reference: Double { median(referenceTurns.map(figure)) }
    /// The ratio of the medians of processor time for one message, which a busy machine sways less.
    package var cpuRatio: Double {
      median(clientTurns.map(\.cpuMicroseconds)) / median(referenceTurns.map(\.cpuMicroseconds))
    }
    /// `client / reference`.
    package var ratio: Double { client / reference }
    func figure(_ result: WireBenchmark.Result) -> Double {
      mode == .latency ? result.medianMicroseconds : result.megabytesPerSecond
    }
    /// Whether the aim is met: latency at most 1.2 times, throughput at least 0.9 times.
    package var meetsAim: Bool { mode == .latency ? ratio <= 1.2 : ratio >= 0.9 }
  }

  /// Runs everything against a broker of its own; `progress` gets each row as it is finished.
  ///
  /// - Throws: what the broker, the client or the reference program throws.
  package func run(progress: (Row) throws -> Void = { _ in }) throws -> [Row] {
    try withEmbeddedBroker { broker in
      var rows: [Row] = []
      for (transport, address) in [
        ("unix", broker.socketAddress), ("tcp", "127.0.0.1:\(broker.port)"),
      ] {
        for mode in WireBenchmark.Mode.allCases {
          for bytes in sizes {
            let arguments = [
              address, mode.rawValue, "\(bytes)", "\(chunkBytes)", "\(Self.count(mode, bytes))",
              "3",
            ]
            var own: [WireBenchmark.Result] = []
            var other: [WireBenchmark.Result] = []
            for _ in 0..<rounds {
              own.append(try Self.turn(clientCommand + arguments))
              other.append(try Self.turn([referenceProgram] + arguments))
            }
            let row = Row(
              transport: transport, mode: mode, bytes: bytes, clientTurns: own,
              referenceTurns: other)
            rows.append(row)
            try progress(row)
          }
        }
      }
      return rows
    }
  }

  /// Enough messages for a fraction of a second.
  private static func count(_ mode: WireBenchmark.Mode, _ bytes: Int) -> Int {
    mode == .latency
      ? max(20, min(2000, 40_000_000 / bytes)) : max(20, min(20_000, 100_000_000 / bytes))
  }

  private static func turn(_ command: [String]) throws(MartletError) -> WireBenchmark.Result {
    let output = try ChildProcess.output(
      of: .init(executable: command[0], arguments: Array(command.dropFirst())),
      timeout: .seconds(60))
    guard let result = WireBenchmark.Result(line: output) else {
      throw MartletError(
        .io, "A program of the benchmark printed something unexpected",
        context: ["program": command[0], "output": output])
    }
    return result
  }

  /// What `clientCommand` runs: one measurement with the reference program's arguments (address,
  /// mode, bytes, chunk bytes, count, subscribers). Returns the line to print.
  ///
  /// - Throws: `invalidArgument`, and what `WireBenchmark.run` throws.
  package static func wireOnce(_ arguments: [String]) throws(MartletError) -> String {
    let numbers = arguments.dropFirst(2).compactMap { Int($0) }
    guard arguments.count == 6, numbers.count == 4,
      let mode = WireBenchmark.Mode(rawValue: arguments[1])
    else {
      throw MartletError(
        .invalidArgument, "Expected ADDRESS MODE BYTES CHUNK COUNT SUBSCRIBERS")
    }
    return try WireBenchmark.run(
      address: BrokerAddress(parsing: arguments[0]), mode: mode, bytes: numbers[0],
      chunkBytes: numbers[1], count: numbers[2], subscribers: numbers[3]
    ).line
  }

  /// The rows as one JSON array.
  package static func json(_ rows: [Row]) -> String {
    let items = rows.map { row in
      """
      {"transport":"\(row.transport)","mode":"\(row.mode.rawValue)","bytes":\(row.bytes),\
      "unit":"\(unit(row))","client":\(rounded(row.client)),\
      "reference":\(rounded(row.reference)),"ratio":\(rounded(row.ratio)),\
      "cpu_ratio":\(rounded(row.cpuRatio)),\
      "client_turns":\(row.clientTurns.map { rounded(row.figure($0)) }),\
      "reference_turns":\(row.referenceTurns.map { rounded(row.figure($0)) }),\
      "meets_aim":\(row.meetsAim)}
      """
    }
    return "[" + items.joined(separator: ",\n ") + "]"
  }

  /// The headings above `line`.
  package static let heading =
    "transport  mode            bytes     client  reference  unit  ratio    cpu  aim"

  /// One row of the table.
  package static func line(_ row: Row) -> String {
    [
      pad(row.transport, 9, left: true), pad(row.mode.rawValue, 10, left: true),
      pad("\(row.bytes)", 10), pad("\(rounded(row.client))", 10),
      pad("\(rounded(row.reference))", 10), pad(unit(row), 5), pad("\(rounded(row.ratio))", 6),
      pad("\(rounded(row.cpuRatio))", 6),
      row.meetsAim ? "met" : "MISSED",
    ].joined(separator: " ")
  }

  private static func unit(_ row: Row) -> String { row.mode == .latency ? "us" : "MB/s" }

  private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

  private static func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
    let spaces = String(repeating: " ", count: max(0, width - text.count))
    return left ? text + spaces : spaces + text
  }
}

private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
