import Glibc

/// Milliseconds since 1970, by the machine's wall clock, or by one that is so many seconds off.
package func unixMilliseconds(offsetSeconds: Int = 0) -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  let seconds = time.tv_sec.addingReportingOverflow(offsetSeconds)
  guard !seconds.overflow, (0...9_000_000_000).contains(seconds.partialValue) else { return 0 }
  return UInt64(seconds.partialValue) * 1000 + UInt64(time.tv_nsec / 1_000_000)
}

/// Processor time of the calling thread.
func threadProcessorTime() -> Duration {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return .seconds(max(0, time.tv_sec)) + .nanoseconds(time.tv_nsec)
}
