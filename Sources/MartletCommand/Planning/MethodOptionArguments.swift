import ArgumentParser
import Planning

/// The options of all planning methods. What there is to declare is known when the program runs, and
/// not when it is compiled: the argument parser finds declarations by reflection, so this type has one
/// child for each option that a method names.
struct MethodOptionArguments: ParsableArguments, CustomReflectable {
  /// What was given, by the options' names.
  private(set) var given: [String: String] = [:]

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }

    init?(intValue: Int) { nil }
  }

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for (option, _) in PlanningMethods.standard.options {
      let key = Key(stringValue: option.name)
      given[option.name] = try container.decode(Option<String?>.self, forKey: key).wrappedValue
    }
  }

  var customMirror: Mirror {
    Mirror(
      self,
      children: PlanningMethods.standard.options.map { option, methods -> Mirror.Child in
        (label: option.name, value: Self.declaration(option, methods))
      }, displayStyle: .struct)
  }

  private static func declaration(
    _ option: any MethodOptionFacts, _ methods: [String]
  ) -> Option<String?> {
    var help = "\(methods.joined(separator: ", ")): \(option.help)"
    var notes: [String] = []
    if !option.choices.isEmpty { notes.append("values: " + option.choices.joined(separator: ", ")) }
    if let standard = option.standard { notes.append("default: " + standard) }
    if !notes.isEmpty { help += " (\(notes.joined(separator: "; ")))" }
    let completion: CompletionKind =
      if option.isFile {
        .file()
      } else if option.choices.isEmpty {
        .default
      } else {
        .list(option.choices)
      }
    return Option<String?>(
      name: .customLong(option.name), help: ArgumentHelp(help, valueName: option.valueName),
      completion: completion)
  }
}
