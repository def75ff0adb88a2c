import Foundation
import TensorFiles
import Testing

/// The files and folders that README and handbook name in backquotes are there.
@Suite struct PathTests {
  /// A page and a path that it names.
  struct Mention: Sendable, CustomTestStringConvertible {
    var page: String
    var path: String
    var testDescription: String { "\(page): \(path)" }
  }

  /// What readers are told to make.
  static let toBeMade: Set = [
    "Sources/Planning/Methods/PairMethod.swift", "Sources/WireProtocol/ClockReport.swift",
  ]

  private static func pages() throws -> [String] {
    let catalogue = "Sources/Handbook/Handbook.docc"
    let names = try FileManager.default.contentsOfDirectory(
      atPath: Article.package + "/" + catalogue)
    return ["README.md"]
      + names.filter { $0.hasSuffix(".md") }.sorted().map { "\(catalogue)/\($0)" }
  }

  private static func isPath(_ word: String) -> Bool {
    word.contains("/")
      && word.allSatisfy { $0.isLetter || $0.isNumber || "_+-./".contains($0) }
  }

  /// All words in backquotes that could be paths.
  private static func words() throws -> [Mention] {
    try pages().flatMap { page in
      try FileSystem.readText(Article.package + "/" + page).codeWords.filter(isPath).map {
        Mention(page: page, path: $0)
      }
    }
  }

  /// Paths from the package's root.
  static func mentions() throws -> [Mention] {
    try words().filter { word in
      ["Sources/", "Tests/", "tools/", "broker-config/", ".ci/"].contains {
        word.path.hasPrefix($0)
      }
    }
  }

  /// Paths of source files from `Sources`.
  static func short() throws -> [Mention] {
    try words().filter { word in
      [".swift", ".c", ".h"].contains { word.path.hasSuffix($0) }
        && !["Sources/", "Tests/"].contains { word.path.hasPrefix($0) }
    }
  }

  private func isThere(_ path: String) -> Bool {
    FileSystem.exists(Article.package + "/" + path)
  }

  @Test func thereAreMentions() throws {
    #expect(try Self.mentions().count > 30)
    #expect(try Self.short().count > 5)
  }

  @Test(arguments: try mentions()) func isThere(_ mention: Mention) {
    #expect(isThere(mention.path) != Self.toBeMade.contains(mention.path))
  }

  @Test(arguments: try short()) func isThereBelowSources(_ mention: Mention) {
    #expect(isThere("Sources/" + mention.path))
  }
}
