import Foundations
import MQTT
import Plan
import Runtime
import Tensors
import TestSupport
import Testing

@Suite struct SubmissionTests {
  /// Refused at once, without a broker: an input that does not fit must not be registered as the oldest
  /// frame that its client waits for.
  @Test func anInputThatDoesNotFitIsRefusedBeforeAnythingElse() throws {
    try TinyModel.with { model in
      let broker = MQTTConfiguration(address: try BrokerAddress(parsing: "127.0.0.1:1"))
      var configuration = ClientConfiguration(address: DeploymentAddress(broker: broker))
      configuration.patience = .milliseconds(100)
      let client = try InferenceClient(
        engines: model.client, planID: model.folder.id, configuration: configuration,
        logger: quietLogger)
      defer { client.close() }
      func code(_ input: Tensor) -> MartletError.Code? {
        do {
          _ = try client.submit(input)
          return nil
        } catch {
          return error.code
        }
      }
      // Also the right number of elements in another shape.
      for shape in [[5], [5, 1], [1, 6], [1, 1, 5], [2, 5]] as [Shape] {
        #expect(code(Tensor(shape, [Float](repeating: 0, count: shape.count))) == .invalidShape)
      }
      #expect(code(Tensor([1, 5], [Int64](repeating: 0, count: 5))) == .invalidShape)
      #expect(client.framesInFlight == 0)
      // One that fits is refused for another reason.
      #expect(code(model.input(1)) == .unreachable)
      #expect(client.framesInFlight == 0)
    }
  }
}
