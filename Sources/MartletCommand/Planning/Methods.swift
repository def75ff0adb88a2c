import ArgumentParser
import Foundations
import Plan
import Planning

/// `martlet methods`: what planning methods there are, for people and for scripts.
struct Methods: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the planning methods and their options.",
    discussion: """
      With --devices also the variants of each method that martlet explore compares, and with which
      options martlet plan makes each of them.

      Examples:
        martlet methods
        martlet methods --devices 4 --budgets 1.5,2 --json
      """)

  @Option(help: "List the variants for so many devices.")
  var devices: Int?

  @Option(help: "With --devices: copies of the weights to allow, by commas.")
  var budgets = "2"

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard devices.map((2...Plan.maximumDevices).contains) ?? true else {
      throw ValidationError("--devices must be 2 to \(Plan.maximumDevices)")
    }
    _ = try CopiesArgument.list(budgets, option: "--budgets")
  }

  func run() throws {
    let budgets = try CopiesArgument.list(budgets, option: "--budgets")
    let methods = PlanningMethods.standard.all.map { Described($0, devices, budgets) }
    if json { return try Terminal.printJSON(["methods": methods]) }
    try Terminal.print(methods.map(\.text).joined(separator: "\n\n"))
  }

  private struct Described: Encodable {
    struct Option: Encodable {
      var name: String
      var value: String
      var help: String
      var allowed: String
      var choices: [String]?
      var standard: String?
      var excludes: [String]?

      private enum CodingKeys: String, CodingKey {
        case name, value, help, allowed, choices, excludes
        case standard = "default"
      }
    }
    struct Variant: Encodable {
      var name: String
      var series: String
      var options: [String: String]
      var requires: [String]
      var budget: Double?
    }

    var name: String
    var summary: String
    var options: [Option]
    var takesShares: Bool
    var takesMeans: Bool
    var needsImages: Bool
    var worksAlone: Bool
    var variants: [Variant]?

    private enum CodingKeys: String, CodingKey {
      case name, summary, options, variants
      case takesShares = "takes_shares"
      case takesMeans = "takes_means"
      case needsImages = "needs_images"
      case worksAlone = "works_alone"
    }

    init(_ method: any PlanningMethod, _ devices: Int?, _ budgets: [Double]) {
      name = method.name
      summary = method.summary
      options = method.options.map { option in
        let rivals = method.options.filter {
          option.group != nil && $0.group == option.group && $0.name != option.name
        }
        return Option(
          name: option.name, value: option.valueName, help: option.help, allowed: option.allowed,
          choices: option.choices.isEmpty ? nil : option.choices, standard: option.standard,
          excludes: rivals.isEmpty ? nil : rivals.map(\.name))
      }
      takesShares = method.abilities.takesShares
      takesMeans = method.abilities.takesMeans
      needsImages = method.abilities.needsImages
      worksAlone = method.abilities.worksAlone
      variants = devices.map { devices in
        method.variants(devices: devices, budgets: budgets).map {
          Variant(
            name: $0.name, series: $0.series, options: $0.options, requires: $0.requires,
            budget: $0.budget)
        }
      }
    }

    /// For people.
    var text: String {
      var lines = ["\(name): \(summary)"]
      for option in options {
        var line = "  --\(option.name) <\(option.value)>  \(option.help)"
        if let standard = option.standard { line += " (default: \(standard))" }
        lines.append(line)
        if let rivals = option.excludes {
          lines.append("      not with " + rivals.map { "--" + $0 }.joined(separator: ", "))
        }
      }
      var limits: [String] = []
      if !takesShares { limits.append("equal shares only") }
      if !takesMeans { limits.append("no \(Plan.Fill.Kind.measuredOptions)") }
      if needsImages { limits.append("needs --calibration") }
      if !limits.isEmpty { lines.append("  " + limits.joined(separator: "; ")) }
      for variant in variants ?? [] {
        let options = variant.options.sorted { $0.key < $1.key }.map { " --\($0.key) \($0.value)" }
        let needs = variant.requires.map { " --\($0) ..." }
        lines.append(
          "  compared as \(variant.name): --method \(name)"
            + (options + needs).joined())
      }
      return lines.joined(separator: "\n")
    }
  }
}

/// Numbers of copies on the command line.
enum CopiesArgument {
  /// Those of an option, ascending.
  static func list(_ text: String, option: String) throws -> [Double] {
    let values = try text.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let value = Double(text), value >= 1, value <= Double(Plan.maximumDevices) else {
        throw ValidationError("\(option) takes numbers of copies from 1 on, not \(text)")
      }
      return value
    }
    return Set(values).sorted()
  }
}
