import MQTT
import Processes
import TensorCore

/// `tools/bench/wire`: this package's MQTT client against a bare libmosquitto program, both through
/// the same broker, taking turns, compared by the ratio of medians.
public struct WireComparison: Sendable {
  /// The compiled `tools/bench/wire.c`.
  public var referenceProgram: String
  /// Message sizes in bytes.
  public var sizes: [Int]
  /// Turns of each program at each point.
  public var rounds: Int
  /// The most bytes of one MQTT message; 0 sends each in one piece.
  public var chunkBytes: Int

  /// 4 KB, 64 KB, 1 MB and 4 MB in one piece, fifteen turns each, unless told otherwise.
  public init(
    referenceProgram: String, sizes: [Int] = [4096, 65536, 1 << 20, 4 << 20], rounds: Int = 15,
    chunkBytes: Int = 0
  ) {
    self.referenceProgram = referenceProgram
    self.sizes = sizes
    self.rounds = rounds
    self.chunkBytes = chunkBytes
  }

  /// One point: a transport, a mode and a size.
  public struct Row: Sendable {
    /// `unix` or `tcp`.
    public var transport: String
    /// What was timed.
    public var mode: WireBenchmark.Mode
    /// The message size in bytes.
    public var bytes: Int
    /// What each turn of this client gave: microseconds, or megabytes per second.
    public var clientTurns: [Double]
    /// The same for the reference program.
    public var referenceTurns: [Double]
    /// The median over the turns of this client.
    public var client: Double { median(clientTurns) }
    /// The median over the turns of the reference program.
    public var reference: Double { median(referenceTurns) }
    /// `client / reference`.
    public var ratio: Double { client / reference }
    /// Whether the aim is met: latency at most 1.2 times, throughput at least 0.9 times.
    public var meetsAim: Bool { mode == .latency ? ratio <= 1.2 : ratio >= 0.9 }
  }

  /// Runs everything against a broker of its own; `progress` gets each row as it is finished.
  ///
  /// - Throws: what the broker, the client or the reference program throws.
  public func run(progress: (Row) -> Void = { _ in }) throws -> [Row] {
    try withEmbeddedBroker { broker in
      var rows: [Row] = []
      for (transport, address, plain) in [
        ("unix", broker.socketAddress, broker.socketAddress),
        ("tcp", broker.networkAddress, "127.0.0.1:\(broker.port)"),
      ] {
        let parsed = try BrokerAddress(parsing: address)
        for mode in WireBenchmark.Mode.allCases {
          for bytes in sizes {
            let count = Self.count(mode, bytes)
            var own: [Double] = []
            var other: [Double] = []
            for _ in 0..<rounds {
              let result = try WireBenchmark.run(
                address: parsed, mode: mode, bytes: bytes, chunkBytes: chunkBytes, count: count)
              own.append(mode == .latency ? result.medianMicroseconds : result.megabytesPerSecond)
              let reference = try self.reference(plain, mode, bytes, count)
              other.append(
                mode == .latency ? reference.medianMicroseconds : reference.megabytesPerSecond)
            }
            let row = Row(
              transport: transport, mode: mode, bytes: bytes, clientTurns: own,
              referenceTurns: other)
            rows.append(row)
            progress(row)
          }
        }
      }
      return rows
    }
  }

  /// Enough messages for a fraction of a second.
  private static func count(_ mode: WireBenchmark.Mode, _ bytes: Int) -> Int {
    mode == .latency
      ? max(12, min(300, 12_000_000 / bytes)) : max(12, min(2000, 50_000_000 / bytes))
  }

  private func reference(
    _ address: String, _ mode: WireBenchmark.Mode, _ bytes: Int, _ count: Int
  ) throws(MartletError) -> WireBenchmark.Result {
    let output = try ChildProcess.output(
      of: .init(
        executable: referenceProgram,
        arguments: [address, mode.rawValue, "\(bytes)", "\(chunkBytes)", "\(count)", "3"]),
      timeout: .seconds(60))
    let numbers = output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    guard numbers.count == 3 else {
      throw MartletError(
        .io, "The reference program printed something unexpected", context: ["output": output])
    }
    return WireBenchmark.Result(
      medianMicroseconds: numbers[0], tailMicroseconds: numbers[1], megabytesPerSecond: numbers[2])
  }

  /// The rows as one JSON array.
  public static func json(_ rows: [Row]) -> String {
    let items = rows.map { row in
      """
      {"transport":"\(row.transport)","mode":"\(row.mode.rawValue)","bytes":\(row.bytes),\
      "unit":"\(unit(row))","client":\(rounded(row.client)),\
      "reference":\(rounded(row.reference)),"ratio":\(rounded(row.ratio)),\
      "client_turns":\(row.clientTurns.map(rounded)),\
      "reference_turns":\(row.referenceTurns.map(rounded)),\
      "meets_aim":\(row.meetsAim)}
      """
    }
    return "[" + items.joined(separator: ",\n ") + "]"
  }

  /// The headings above `line`.
  public static let heading =
    "transport  mode            bytes     client  reference  unit  ratio  aim"

  /// One row of the table.
  public static func line(_ row: Row) -> String {
    [
      pad(row.transport, 9, left: true), pad(row.mode.rawValue, 10, left: true),
      pad("\(row.bytes)", 10), pad("\(rounded(row.client))", 10),
      pad("\(rounded(row.reference))", 10), pad(unit(row), 5), pad("\(rounded(row.ratio))", 6),
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
