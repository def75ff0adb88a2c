import Glibc
import TensorFiles

/// Runs `body` with a new folder that is removed afterwards, whatever happens.
func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = "/tmp/martlet-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
  try FileSystem.createFolder(folder)
  defer {
    for entry in ((try? FileSystem.list(folder)) ?? []).reversed() {
      try? FileSystem.remove(folder + "/" + entry.path)
    }
    try? FileSystem.remove(folder)
  }
  return try body(folder)
}
