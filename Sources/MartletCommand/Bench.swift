import ArgumentParser

/// `martlet bench`: measurements that need the inside of the program.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures parts of martlet; tools/bench compares them with other programs.",
    subcommands: [])
}
