import ArgumentParser
import Foundation
import MartletCommand
import TensorFiles
import TestSupport
import Testing

/// Every `martlet` command that README and handbook show is one that the program takes.
@Suite struct HandbookCommandTests {
  struct Line: Sendable, CustomTestStringConvertible {
    var page: String
    var words: [String]
    var testDescription: String { "\(page): \(words.joined(separator: " "))" }
  }

  private static func pages() throws -> [String] {
    let catalogue = "Sources/Handbook/Handbook.docc"
    let names = try FileManager.default.contentsOfDirectory(atPath: checkout + "/" + catalogue)
    return ["README.md"]
      + names.filter { $0.hasSuffix(".md") }.sorted().map { "\(catalogue)/\($0)" }
  }

  /// The commands in blocks of shell, with lines that go on joined and comments left out.
  private static func lines() throws -> [Line] {
    try pages().flatMap { page in
      var result: [Line] = []
      var isShell = false
      var open = ""
      for line in try FileSystem.readText(checkout + "/" + page).split(separator: "\n") {
        if line.hasPrefix("```") {
          isShell = line == "```sh"
        } else if isShell {
          open += line.hasSuffix("\\") ? line.dropLast() + " " : line
          if line.hasSuffix("\\") { continue }
          let words = shellWords(open)
          open = ""
          let program = words.first?.split(separator: "/").last
          if program == "martlet" { result.append(Line(page: page, words: words)) }
        }
      }
      return result
    }
  }

  /// Words as a shell makes them of blanks, single quotes and comments.
  private static func shellWords(_ text: String) -> [String] {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    for character in text {
      if character == "'" {
        isQuoted.toggle()
        word = word ?? ""
      } else if isQuoted {
        word = (word ?? "") + String(character)
      } else if character == " " {
        if let done = word { words.append(done) }
        word = nil
      } else if character == "#", word == nil {
        break
      } else {
        word = (word ?? "") + String(character)
      }
    }
    return words + (word.map { [$0] } ?? [])
  }

  @Test func thereAreCommands() throws { #expect(try Self.lines().count > 30) }

  @Test(arguments: try lines()) func isTaken(_ line: Line) {
    do {
      _ = try RootCommand.parseAsRoot(Array(line.words.dropFirst()))
    } catch {
      Issue.record("\(RootCommand.fullMessage(for: error))")
    }
  }

  /// The files that README and handbook link to or name in code are there.
  @Test func linkedFilesAreThere() throws {
    for page in try Self.pages() {
      let text = try FileSystem.readText(checkout + "/" + page)
      for piece in text.split(separator: "](").dropFirst() {
        let target = piece.prefix { $0 != ")" }
        guard !target.contains("://"), !target.hasPrefix("doc:"), target != "data-path" else {
          continue
        }
        #expect(FileSystem.exists(checkout + "/" + target), "\(page): \(target)")
      }
    }
  }
}
