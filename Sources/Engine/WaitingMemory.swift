/// How many bytes of messages may wait in one process for the thread that computes: the one limit on
/// what others can make a worker or a client hold, wherever it lies meanwhile.
///
/// A message waits in two places. The network thread leaves it in the mailbox, until the computing thread
/// takes all that is there, between two stages; then inputs and parts of frames that have not begun are
/// kept by the core, until these frames begin. Neither place may take the other's room: a burst must
/// not push out frames that wait, and these must not keep the thread from hearing what is new. So each
/// has a half. What does not fit is dropped and counted: in the mailbox message by message, in the core by
/// whole frames, the oldest first.
package enum WaitingMemory {
  /// Both together. VGG16 over four devices has 10 MB on the way to one of them in its largest exchange,
  /// and by default four frames under way.
  package static let total = 128 << 20
  /// Of messages that nobody has looked at.
  package static let mailbox = total / 2
  /// Of inputs and early parts of frames that have not begun.
  package static let frames = total - mailbox
}
