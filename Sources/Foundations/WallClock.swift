/// Moments of the calendar, in text.
package enum WallClock {
  /// RFC 3339 in UTC with milliseconds, such as `2026-03-01T12:00:00.250Z`.
  ///
  /// - Parameter unixMilliseconds: since 1970; beyond the year 9999 its end.
  package static func rfc3339(unixMilliseconds: UInt64) -> String {
    let latest: UInt64 = 253_402_300_799_999
    let milliseconds = Int(min(unixMilliseconds, latest))
    let days = milliseconds / 86_400_000
    let rest = milliseconds % 86_400_000
    // Years begin in March here, so that the leap day is the last (Hinnant, "chrono-compatible
    // low-level date algorithms").
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func padded(_ value: Int, _ width: Int) -> String {
      let digits = "\(value)"
      return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }
    return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T"
      + padded(rest / 3_600_000, 2) + ":" + padded(rest / 60_000 % 60, 2) + ":"
      + padded(rest / 1000 % 60, 2) + "." + padded(rest % 1000, 3) + "Z"
  }
}
