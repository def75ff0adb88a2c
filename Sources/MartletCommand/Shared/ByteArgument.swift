import ArgumentParser
import Planning

/// A size such as `72MB` on the command line.
struct ByteArgument: ExpressibleByArgument {
  let bytes: Int

  init?(argument: String) {
    guard let bytes = OptionKind.bytes.read(argument) else { return nil }
    self.bytes = bytes
  }
}
