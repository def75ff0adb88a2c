import Engine
import Logging
import WireProtocol

extension Logger {
  /// Says that parts are kept back, or no longer.
  func log(_ notice: Denial.Notice, root: TopicRoot) {
    switch notice {
    case .begins(let denial):
      warning("\(denial.text(root)); \(denial.hint)", metadata: ["device": "\(denial.device)"])
    case .ends(let device):
      self.notice("parts come again", metadata: ["device": "\(device)"])
    }
  }
}
