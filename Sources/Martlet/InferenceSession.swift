import Engine
import Foundations
public import Logging
import Plan
import Resilience
import Runtime
import Tensors
import WireProtocol

/// Sends frames to the devices of a plan and gets their answers, over one connection to the broker.
///
/// ```swift
/// let session = try await InferenceSession(plan: plan, broker: BrokerAccess("mqtts://broker.local"))
/// try await session.waitUntilReady()
/// let answer = try await session.infer(plan.input(imageAt: "photo.jpg"))
/// print(answer.prediction.best?.name ?? "unknown")
/// for try await answer in session.answers(for: camera) { show(answer) }
/// await session.close()
/// ```
///
/// May be used from any task and thread. Waiting never blocks a thread of Swift's tasks: the connection,
/// and what is computed of the last layer, have a thread of their own.
///
/// A broker or devices that are away are waited for as long as the patience lasts; the connection comes
/// back by itself.
public final class InferenceSession: Sendable {
  /// How frames are sent and answered.
  public struct Options: Sendable {
    /// Frames under way at once, 1 to 64; nil for as many as bring more answers a second, which the
    /// session finds out by trying, and which suits plans of whole frames.
    public var inFlight: Int? = 4
    /// How inputs travel that are no images; those that ``Model/input(imageAt:)`` or
    /// ``DeploymentPlan/input(imageAt:)`` made are sent as the bytes of their pixels, exactly.
    public var wire = WireFormat.float32
    /// Whether to deflate the pixels of images: about a third less to send, for some milliseconds of
    /// work everywhere. For links below some 50 Mbit/s.
    public var deflatesImages = false
    /// How long to wait for the other devices once the first has answered.
    public var deadline = PartDeadline.standard
    /// Whether devices compute and send replicas and parity while their primaries are there, so that
    /// not even the frame in which a device dies lacks what others hold.
    public var usesActiveReplicas = false
    /// The least share of right answers, 0 to 1, that is expected of an answer: others say so in
    /// ``Answer/refusal``. It needs a study in the plan's folder. Nil takes every answer.
    public var minimumExpectedAccuracy: Double?
    /// Whether a frame whose answer is not good enough is sent again when enough devices are back,
    /// within the patience.
    public var retries = false
    /// For how long nothing may move for a frame before it is sent again; no longer than the patience.
    public var frameLimit = Duration.seconds(5)
    /// How long to try, with no device or no broker there or nothing that moves, before giving up.
    public var patience = Duration.seconds(30)
    /// What guesses are drawn with that stand in for answers when nothing reaches the last layer.
    public var guessSeed: UInt64 = 0

    /// Four frames at once, in float32, with 30 s of patience.
    public init() {}
  }

  /// The plan that the devices run.
  public let plan: DeploymentPlan
  /// Frames under way at most; it changes where ``InferenceSession/Options/inFlight`` is nil.
  public var inFlight: Int { core.limit }
  private let core: SessionCore

  /// Connects to the broker; devices need not be there yet.
  ///
  /// - Parameters:
  ///   - plan: the one that the workers run; of the weights only `client.safetensors`, if there is one.
  ///   - broker: where the broker is.
  ///   - options: how frames are sent and answered.
  ///   - logger: gets what goes wrong; nothing is logged if nil.
  /// - Throws: ``MartletError``: `invalidArgument` for options that cannot be, `notFound` or `mismatch`
  ///   for what is missing of the plan, `unreachable` when the broker is not reached within the
  ///   patience, `permissionDenied` when it refuses this user or does not let it send frames,
  ///   `cancelled`.
  public init(
    plan: DeploymentPlan, broker: BrokerAccess, options: Options = Options(), logger: Logger? = nil
  ) async throws(MartletError) {
    if let inFlight = options.inFlight, !(1...64).contains(inFlight) {
      throw MartletError(
        .invalidArgument, "a session has 1 to 64 frames under way",
        context: ["inFlight": "\(inFlight)"])
    }
    let configuration = try options.configuration(
      address: broker.deploymentAddress, study: try plan.failureTable())
    let core = SessionCore(limit: options.inFlight ?? 1)
    self.plan = plan
    self.core = core
    let opened = WaitingPlace<Void>()
    let (folder, logger) = (plan.folder, logger ?? .silent)
    let findsLimit = options.inFlight == nil
    try DedicatedThread.start {
      SessionThread.run(
        core, folder.plan, patience: configuration.patience, findsLimit: findsLimit,
        opened: opened
      ) { () throws(Foundations.MartletError) in
        try InferenceClient(
          engines: try DeviceEngines(folder: folder, device: nil), planID: folder.id,
          configuration: configuration, logger: logger)
      }
    }
    do throws(MartletError) {
      try await opened.wait().get()
    } catch {
      core.stop.pull()
      throw error
    }
  }

  deinit { core.stop.pull() }

  // MARK: Frames

  /// Sends a frame and waits for its answer.
  ///
  /// - Parameters:
  ///   - input: in the shape of ``DeploymentPlan/input``.
  ///   - limit: when the answer is of no use any more, from now: what has come until then is the
  ///     answer. Nil leaves it to the patience.
  /// - Throws: ``MartletError`` as ``submit(_:within:)`` and ``PendingAnswer/value``. When the task is
  ///   cancelled this throws `cancelled` at once; a frame that was sent keeps its place until the devices
  ///   have done with it.
  public func infer(
    _ input: Tensor, within limit: Duration? = nil
  ) async throws(MartletError) -> Answer {
    try await submit(input, within: limit).value
  }

  /// Sends a frame as soon as fewer than ``inFlight`` are under way; returns then, without waiting for
  /// the answer.
  ///
  /// - Parameters:
  ///   - input: in the shape of ``DeploymentPlan/input``.
  ///   - limit: as for ``infer(_:within:)``.
  /// - Throws: ``MartletError``: `invalidShape` for another shape, `cancelled` when the task is cancelled
  ///   before there is room or the session was closed, `superseded`.
  public func submit(
    _ input: Tensor, within limit: Duration? = nil
  ) async throws(MartletError) -> PendingAnswer {
    let expected = self.plan.input?.shape ?? []
    guard input.shape == expected else {
      throw MartletError(
        .invalidShape, "the input has another shape than the model takes",
        context: ["expected": "\(Shape(expected))", "given": "\(Shape(input.shape))"])
    }
    let end = limit.map { MonotonicTime.now() + $0 } ?? .distantFuture
    return try await core.submit(input.frame, until: end)
  }

  /// Answers to inputs as they come, in their order, with at most ``inFlight`` frames between the last
  /// input that was taken and the last answer that was: whoever takes answers slowly makes the inputs
  /// wait.
  ///
  /// - Parameter inputs: tensors in the shape of ``DeploymentPlan/input``, such as those of a camera.
  ///   They are asked for anew by each iterator.
  public func answers<Inputs: AsyncSequence & Sendable>(
    for inputs: Inputs
  ) -> AnswerSequence where Inputs.Element == Tensor {
    AnswerSequence(limit: { [core] in core.limit }) { [self] pipe in
      await pipe.feed(inputs, into: self)
    }
  }

  /// Frames that were sent, or are about to be, and have not come to their end.
  public var framesInFlight: Int { core.framesInFlight }

  // MARK: Devices

  /// How each device of the plan looks now, in order.
  public var devices: [DevicePresence] { core.devices }

  /// How the devices look, now and after each change. Whoever takes them slowly gets the newest. Ends
  /// with the session.
  public func presence() -> AsyncStream<[DevicePresence]> { core.watch() }

  /// Waits until devices are there.
  ///
  /// - Parameters:
  ///   - count: how many; all of the plan if nil.
  ///   - timeout: how long to wait for them.
  /// - Throws: ``MartletError``: `timedOut` with who is not there, `cancelled`.
  public func waitUntilReady(
    devices count: Int? = nil, timeout: Duration = .seconds(30)
  ) async throws(MartletError) {
    let wanted = count ?? plan.devices.count
    let stream = presence()
    let isReady = await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        for await devices in stream where devices.count(where: \.isAlive) >= wanted {
          return true
        }
        return false
      }
      group.addTask {
        try? await Task.sleep(for: timeout)
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
    guard !isReady else { return }
    if Task.isCancelled { throw .cancelled }
    throw MartletError(
      .timedOut, "not enough devices are there",
      context: [
        "wanted": "\(wanted)",
        "devices": devices.map { "\($0.device) \($0.state)" }.joined(separator: ", "),
      ],
      hint: "start the workers, with the same plan and deployment")
  }

  /// Takes no more frames, waits until those under way have come to their end, which takes no longer
  /// than the patience, and says goodbye to the broker. When the task is cancelled, frames under way are
  /// given up. May be called any number of times. A session that is not closed ends with the last
  /// reference to it.
  public func close() async { await core.close() }
}

extension InferenceSession.Options {
  /// - Throws: what `AnswerPolicy.check` throws.
  func configuration(
    address: DeploymentAddress, study: FailureTable?
  ) throws(MartletError) -> ClientConfiguration {
    var configuration = ClientConfiguration(address: address)
    configuration.wire = wire.settings
    configuration.deflatesFrames = deflatesImages
    configuration.deadline = deadline.policy
    configuration.replicas = usesActiveReplicas ? .active : .standby
    configuration.study = study
    configuration.policy = try AnswerPolicy.checked(
      minimum: minimumExpectedAccuracy, retries: retries, study: study)
    configuration.frameLimit = frameLimit
    configuration.patience = patience
    configuration.guessSeed = guessSeed
    return configuration
  }
}
