import Plan
import Testing

/// The article on cards has what the program has.
@Suite struct ModelCardsTests {
  @Test func everyTaskHasARow() throws {
    let tasks = try Article("ModelCards").names("values: Head.Task")
    #expect(tasks == Head.Task.allCases.map(\.rawValue))
  }
}
