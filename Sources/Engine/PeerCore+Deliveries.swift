import Foundations
import Plan
import WireProtocol

/// Peers that work while their parts do not come here.
extension PeerCore {
  /// Why a peer is not waited for that is suspect.
  func suspicion(of number: Int) -> MissingReason {
    arrivals.deliveries.isKeptBack(number) ? .denied : .suspect
  }

  /// Something came on a topic of parts, whether it can be used or not.
  ///
  /// - Returns: whose parts these are.
  func came(on topic: Topic, now: MonotonicTime) -> Int? {
    guard case .activation(_, let sender) = topic, let number = names.firstIndex(of: sender) else {
      return nil
    }
    arrivals.deliveries.part(of: number, at: now)
    return number
  }

  /// A peer's heartbeat came, of the run that its presence has named.
  func went(_ name: String, on heartbeat: Heartbeat, now: MonotonicTime) {
    guard let number = names.firstIndex(of: name) else { return }
    arrivals.deliveries.heartbeat(of: number, epoch: heartbeat.epoch, frame: heartbeat.frame)
    arrivals.movement.said(heartbeat.movedBytes, by: number, at: now)
    for mark in heartbeat.sent where arrivals.sent.sent(mark, by: number) {
      task(mark.key)?.loseWhatWasSent(by: number, now: now)
    }
    comesBack(number, now: now)
  }

  /// A part that a frame waits for came: what its device sent for the frame before it should be here. See
  /// `SentBook`.
  func came(_ part: PartReceiver.ReceivedPart, into task: FrameTask, now: MonotonicTime) {
    let stage = plan.exchanges[part.exchange].stage
    arrivals.sent.came(
      part.exchange, stage: stage, of: task.key, from: part.device, isUsed: true)
    guard sendsInStages, let stage,
      arrivals.sent.sent(SentMark(task.key, stage: stage), by: part.device, isSaid: false)
    else { return }
    task.loseWhatWasSent(by: part.device, now: now)
  }

  /// A frame has ended here.
  func hasEnded(_ task: FrameTask) {
    for device in names.indices
    where !task.heardFrom.contains(device) && task.gathers(from: device) {
      arrivals.deliveries.ended(task.key.frame, with: device, since: task.boundary.started)
    }
  }

  /// A peer was waited for in vain.
  func blame(_ miss: Boundary.Miss, of task: FrameTask) {
    if arrivals.book.missedDeadline(of: miss.device, in: miss.exchange) {
      arrivals.barred.append((miss.device, miss.exchange))
    }
    guard !miss.wasLost else {
      return arrivals.sent.lost(miss.exchange, of: task.key, from: miss.device)
    }
    suspect(miss.device, wasFree: miss.wasFree)
  }

  /// Peers whose parts are kept back now.
  var denials: [Denial] {
    names.indices.filter(arrivals.deliveries.isKeptBack).map(denial)
  }

  /// What to say about parts that are kept back, or no longer: each once.
  func collectDenials() -> [Denial.Notice] {
    let exchanges = arrivals.barred.map { miss in
      Denial.Notice.begins(
        Denial(
          device: names[miss.device], layers: [plan.exchanges[miss.exchange].id],
          frames: ArrivalBook.misses, isWhole: false))
    }
    arrivals.barred = []
    return exchanges
      + arrivals.deliveries.takeNews().map { news in
        switch news {
        case .keptBack(let device, _): .begins(denial(device))
        case .comesAgain(let device): .ends(device: names[device])
        }
      }
  }

  private func denial(_ number: Int) -> Denial {
    Denial(
      device: names[number],
      layers: gathered.sorted().filter { plan.exchanges[$0].senders.contains(number) }
        .map { plan.exchanges[$0].id },
      frames: arrivals.deliveries.framesPassed(by: number), isWhole: true)
  }
}
