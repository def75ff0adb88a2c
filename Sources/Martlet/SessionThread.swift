import Engine
import Foundations
import Plan
import Runtime

/// Runs an `InferenceClient`, which blocks and belongs to one thread, on a thread of its own.
struct SessionThread {
  private let core: SessionCore
  private let client: InferenceClient
  private let plan: Plan
  private let patience: Duration
  /// Whether there are to be as many frames under way as bring more answers a second.
  private let findsLimit: Bool
  private var running: [Int: PendingAnswer] = [:]

  private init(
    _ core: SessionCore, _ client: InferenceClient, _ plan: Plan, patience: Duration,
    findsLimit: Bool
  ) {
    self.patience = patience
    self.findsLimit = findsLimit
    self.core = core
    self.client = client
    self.plan = plan
  }

  /// Connects, says so, and works until the session is closed or stopped. Called on the thread.
  ///
  /// - Parameters:
  ///   - patience: the client's.
  ///   - findsLimit: whether to find out how many frames are best under way.
  ///   - opened: ends with how connecting went.
  ///   - make: makes a client that is not yet connected.
  static func run(
    _ core: SessionCore, _ plan: Plan, patience: Duration, findsLimit: Bool,
    opened: WaitingPlace<Void>,
    _ make: () throws(Foundations.MartletError) -> InferenceClient
  ) {
    let client: InferenceClient
    do throws(Foundations.MartletError) {
      client = try make()
      core.stop.arm(client.stopper)
      do throws(Foundations.MartletError) {
        try client.connect()
      } catch {
        client.close()
        throw error
      }
    } catch {
      core.finish(MartletError(error))
      opened.end(.failure(MartletError(error)))
      return
    }
    client.onChange = { core.change(DevicePresence($0)) }
    core.begin(devices: client.devices.map { DevicePresence($0) }, wake: client.waker)
    opened.end(.success(()))
    var thread = SessionThread(
      core, client, plan, patience: patience, findsLimit: findsLimit)
    let end = thread.serve()
    client.close()
    core.finish(end)
  }

  /// - Returns: why it ended.
  private mutating func serve() -> MartletError {
    while true {
      do throws(Foundations.MartletError) {
        if findsLimit { core.allow(client.worthwhileFrames()) }
        while let job = core.takeJob() { try submit(job) }
        if core.isDone { return SessionCore.closed }
        let answer = try client.next(until: .now() + .milliseconds(500))
        if let answer, let pending = running.removeValue(forKey: answer.ticket) {
          core.end(pending, .success(Answer(answer, of: plan)))
        }
        endUnanswered(MartletError(.timedOut, "no device answered before the frame's end"))
      } catch {
        // A frame that is given up does not concern the others. An error that ends no frame would come
        // again and again.
        let wrapped = MartletError(error)
        let isOver = error.code == .superseded || error.code == .cancelled
        if !isOver, endUnanswered(wrapped) { continue }
        let end = error.code == .cancelled ? SessionCore.closed : wrapped
        for pending in running.values { core.end(pending, .failure(end)) }
        return end
      }
    }
  }

  private mutating func submit(_ job: SessionCore.Job) throws(Foundations.MartletError) {
    guard job.end > .now() else {
      return core.end(
        job.pending,
        .failure(MartletError(.timedOut, "the frame's time was over before it could be sent")))
    }
    // Those before it may have waited in vain for the same devices.
    guard job.submitted + patience > .now() else {
      return core.end(job.pending, .failure(MartletError(client.nobodyIsThere)))
    }
    do throws(Foundations.MartletError) {
      running[try client.submit(job.input, until: job.end)] = job.pending
    } catch {
      let isOver = error.code == .superseded || error.code == .cancelled
      core.end(job.pending, .failure(isOver ? SessionCore.closed : MartletError(error)))
      if isOver { throw error }
    }
  }

  /// Ends the frames that nobody waits for any more although no answer has come.
  ///
  /// - Returns: whether there were any.
  @discardableResult private mutating func endUnanswered(_ error: MartletError) -> Bool {
    let ended = running.filter { !client.isWaiting(for: $0.key) }
    for (ticket, pending) in ended {
      running[ticket] = nil
      core.end(pending, .failure(error))
    }
    return !ended.isEmpty
  }
}
