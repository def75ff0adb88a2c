import Processes
import Testing

@Suite struct OwnProgramTests {
  /// One test, because what it says holds for the whole process.
  @Test func whatLeadsToTheCommandLineComesBeforeACommand() throws {
    let path = try System.executablePath()
    #expect(try OwnProgram().words(["worker"]) == [path, "worker"])
    OwnProgram.isReached(by: ["martlet", "-v"])
    defer { OwnProgram.isReached(by: []) }
    let own = try OwnProgram()
    #expect(own.path == path)
    #expect(own.leading == ["martlet", "-v"])
    #expect(own.words(["worker", "--help"]) == [path, "martlet", "-v", "worker", "--help"])
  }
}
