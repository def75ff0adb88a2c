import Martlet
import Testing

@Suite struct ModelTests {
  @Test func saysWhatItIs() throws {
    let model = try DemoFiles().model
    #expect(model.inputs.map(\.shape) == [[1, 1, 28, 28]])
    #expect(model.outputs.map(\.shape) == [[1, 10]])
    #expect(model.task == .classification && model.takesImages)
    #expect(model.labels == (0..<10).map(String.init))
    #expect(model.parameterCount > 1000 && model.weightBytes == 4 * model.parameterCount)
    #expect(model.multiplyAdds > model.parameterCount)
  }

  @Test func readsDigits() throws {
    let files = try DemoFiles()
    var right = 0
    for index in 0..<40 {
      let prediction = try files.model.predict(try files.input(index))
      #expect(prediction.top.count == 5 && prediction.task == .classification)
      if prediction.best?.label == (try files.digit(index).label) { right += 1 }
    }
    #expect(right >= 36)
  }

  @Test func runsFromManyTasksAtOnce() async throws {
    let files = try DemoFiles()
    let expected = try (0..<8).map { try files.model.run([try files.input($0)]) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<64 {
        group.addTask {
          let outputs = try files.model.run([try files.input(index % 8)])
          #expect(outputs == expected[index % 8])
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func errorsAreOfOneKind() async throws {
    let files = try DemoFiles()
    let small = try Tensor(shape: [1, 3], values: [1, 2, 3])
    #expect(await code(of: { _ = try Model(contentsOf: "/nowhere.onnx") }) == .notFound)
    #expect(await code(of: { _ = try Model(contentsOf: files.images) }) == .invalidFile)
    #expect(await code(of: { _ = try files.model.run([small]) }) == .invalidShape)
    #expect(await code(of: { _ = try files.model.input(image: [1, 2, 3]) }) == .invalidFile)
    #expect(await code(of: { _ = try Tensor(shape: [2, 2], values: [1]) }) == .invalidShape)
    #expect(await code(of: { _ = try Tensor(shape: [-1], values: [1]) }) == .invalidShape)
    let error = try #require(throws: MartletError.self) {
      try Model(contentsOf: "/nowhere.onnx")
    }
    #expect(error.context.contains { $0.value == "/nowhere.onnx" })
    #expect(error.description.contains("/nowhere.onnx"))
  }
}
