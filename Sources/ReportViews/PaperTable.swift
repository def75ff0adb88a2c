package import FlightReport
package import Tables

/// Table 2 of RobustDiCE (Guo, Jiang, Pimentel, Stefanov, Integration 2024) beside reports of the same
/// configurations.
package struct PaperTable {
  /// The paper's networks.
  package enum Network: String, CaseIterable, Sendable {
    /// AlexNet.
    case alexnet
    /// VGG16 with batch normalisation.
    case vgg16 = "vgg16-bn"
    /// ConvNeXt-Tiny.
    case convnext = "convnext-tiny"

    /// The network that a model's name tells.
    init?(model: String) {
      let name = model.lowercased()
      if name.contains("alexnet") {
        self = .alexnet
      } else if name.contains("vgg") {
        self = .vgg16
      } else if name.contains("convnext") {
        self = .convnext
      } else {
        return nil
      }
    }
  }

  /// The paper's configurations: full replication on every device; one parity device, or clustered
  /// replicas, on so many devices.
  enum Configuration: Hashable {
    case replication
    case cdc(Int)
    case robust(Int)

    /// The configuration of a plan.
    ///
    /// - Parameter method: the method's name alone.
    init?(method: String, devices: Int) {
      switch method {
      case "replicate": self = .replication
      case "cdc": self = .cdc(devices)
      case "robustdice": self = .robust(devices)
      default: return nil
      }
    }

    var name: String {
      switch self {
      case .replication: "QMR/TMR/DMR"
      case .cdc(let devices): "CDC-SysConf\(devices)D"
      case .robust(let devices): "Robust-SysConf\(devices)D"
      }
    }
  }

  /// A line of the table: joules per image, frames per second, megabytes.
  typealias Row = (joules: Double, framesPerSecond: Double, megabytes: Double)

  /// As printed; 1000 images on Jetson Xavier NX boards.
  static let published: [Network: [Configuration: Row]] = [
    .alexnet: [
      .replication: (0.179, 46.255, 150.914), .cdc(3): (0.165, 43.670, 94.117),
      .cdc(4): (0.157, 45.587, 78.852), .robust(2): (0.159, 48.214, 99.254),
      .robust(3): (0.148, 50.045, 80.777), .robust(4): (0.142, 51.219, 72.801),
    ],
    .vgg16: [
      .replication: (0.850, 10.744, 429.215), .cdc(3): (0.809, 10.634, 313.688),
      .cdc(4): (0.799, 10.485, 272.293), .robust(2): (0.826, 10.761, 328.426),
      .robust(3): (0.799, 10.993, 295.086), .robust(4): (0.779, 11.078, 267.395),
    ],
    .convnext: [
      .replication: (0.308, 28.223, 88.895), .cdc(3): (0.307, 27.107, 69.129),
      .cdc(4): (0.297, 28.248, 59.961), .robust(2): (0.301, 28.044, 76.465),
      .robust(3): (0.296, 28.415, 65.203), .robust(4): (0.288, 29.034, 58.090),
    ],
  ]

  private let reports: [(name: String, report: FlightReport)]
  private let network: Network?

  /// - Parameter network: the paper's network, where the models' names do not tell it.
  package init(_ reports: [(name: String, report: FlightReport)], network: Network?) {
    self.reports = reports
    self.network = network
  }

  /// For people.
  package var table: TitledTable {
    var table = TitledTable(
      "Table 2 of RobustDiCE beside these reports (ratio to full replication)",
      [
        "report", "configuration", "J/image", "paper", "frames/s", "paper", "memory MB", "paper",
      ])
    let full = reports.first { configuration($0.report) == .replication }?.report.maximum
    for (name, report) in reports {
      let known = configuration(report)
      let network = network ?? report.model.flatMap(Network.init(model:))
      let rows = network.flatMap { PaperTable.published[$0] }
      let paper = known.flatMap { rows?[$0] }
      let paperFull = rows?[.replication]
      let maximum = report.maximum
      let megabytes = maximum.peakMemoryBytes.map { Double($0) / 1e6 }
      table.rows.append(
        [
          name, known?.name ?? report.method ?? "-",
          (maximum.isEnergyEstimated ? "~" : "")
            + figure(maximum.joulesPerImage, full?.joulesPerImage, decimals: 4),
          figure(paper?.joules, paperFull?.joules, decimals: 3),
          figure(maximum.framesPerSecond, full?.framesPerSecond, decimals: 1),
          figure(paper?.framesPerSecond, paperFull?.framesPerSecond, decimals: 1),
          figure(
            megabytes, full?.peakMemoryBytes.map { Double($0) / 1e6 }, decimals: 1),
          figure(paper?.megabytes, paperFull?.megabytes, decimals: 1),
        ])
      if network == nil { table.notes.append("\(name): not a network of the paper; see --network") }
    }
    if full == nil {
      table.notes.append("no ratios for these reports: none is of a plan of --method replicate")
    }
    table.notes.append(
      "the paper's boards are Jetson Xavier NX on a gigabit switch, its memory is what the network's "
        + "code counts and ours that of the whole process; compare the ratios")
    return table
  }

  private func configuration(_ report: FlightReport) -> Configuration? {
    report.methodName.flatMap { Configuration(method: $0, devices: report.devices.count) }
  }

  private func figure(_ value: Double?, _ full: Double?, decimals: Int) -> String {
    guard let value else { return "-" }
    guard let full, full > 0 else { return value.formatted(decimals) }
    return "\(value.formatted(decimals)) (\((value / full).formatted(2)))"
  }
}
