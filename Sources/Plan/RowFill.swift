extension Plan {
  /// What stands in for rows that are lost, in the one frame in which that happens: from the next one
  /// on, survivors cut the rows anew. Its name stands in commands and files.
  package enum RowFill: String, CaseIterable, Sendable, Codable {
    /// Zero.
    case zero
    /// Column by column, the mean of the rows that came.
    case mean
    /// The nearest row that came, of two the upper one: an image goes on as it was rather than ending.
    case nearest

    /// What devices do: over four networks it leaves as much accuracy as any other fill, and most where
    /// the difference is not of chance.
    package static let standard = RowFill.zero
  }
}
