import Logging
import Martlet
import ServiceLifecycle
import UnixSignals

/// Divides a model over three workers of this process, sends images to them through a broker, and prints
/// the answers. In earnest each worker would be a program of its own, on a device of its own.
@main
struct EmbeddedInference {
  static let usage = """
    Usage: EmbeddedInference BROKER MODEL FOLDER IMAGE...

      BROKER  such as mqtt://127.0.0.1 or unix:/run/mosquitto.sock
      MODEL   an ONNX file, such as Sources/CDemoAssets/files/demo.onnx
      FOLDER  where the plan goes
      IMAGE   JPEG, PNG or WebP files
    """

  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count >= 4 else {
      print(usage)
      return
    }
    let (images, logger) = (arguments[3...], Logger(label: "example"))
    let broker = try BrokerAccess(arguments[0], deployment: "example")

    let model = try Model(contentsOf: arguments[1])
    let draft = try await model.plan(for: .named(["attic", "cellar", "kitchen"]))
    for device in draft.devices {
      print("\(device.name): \(device.weightBytes) bytes of weights")
    }
    let plan = try draft.write(to: arguments[2])

    let workers = plan.devices.map { WorkerService(plan: plan, device: $0, broker: broker) }
    let group = ServiceGroup(
      services: workers, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    async let running: Void = group.run()

    let session = try await InferenceSession(plan: plan, broker: broker, logger: logger)
    try await session.waitUntilReady()
    // Any sequence will do, such as the frames of a camera.
    let inputs = AsyncStream { continuation in
      for image in images {
        do {
          continuation.yield(try plan.input(imageAt: image))
        } catch {
          print("\(image): \(error)")
        }
      }
      continuation.finish()
    }
    for try await answer in session.answers(for: inputs) {
      guard let best = answer.prediction.best else { continue }
      print("\(best.name ?? "class \(best.label)"), confidence \(best.confidence)")
    }
    await session.close()

    // Workers finish what they have and say goodbye.
    await group.triggerGracefulShutdown()
    try await running
  }
}
