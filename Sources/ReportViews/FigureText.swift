import FlightReport
import Tables

extension Figure {
  /// The figures of a list that a table shows, in its order.
  static func columns(_ table: FigureTable, of figures: [Figure]) -> [Figure] {
    figures.filter { $0.column?.table == table }
  }

  /// What stands above it in a table.
  var heading: String { column?.heading ?? name }

  /// The figure as a cell of a table.
  func text(_ subject: Subject) -> String {
    guard let column, let value = value(subject) else { return ReportFormat.none }
    return column.mark(subject) + column.style.text(value, interval(subject))
  }

  /// The figure over several devices as a cell of a table; of those that have it.
  func text(over subjects: [Subject]) -> String {
    guard let column else { return ReportFormat.none }
    return column.fold.text(subjects.compactMap(value), column.style)
  }
}

extension FigureFold {
  func text(_ values: [Double], _ style: FigureStyle) -> String {
    guard let maximum = values.max() else { return ReportFormat.none }
    let mean = style.text(values.reduce(0, +) / Double(values.count), nil)
    return switch self {
    case .mean: mean
    case .meanAndMaximum: "\(mean) (\(style.text(maximum, nil)))"
    }
  }
}

extension FigureStyle {
  fileprivate func text(_ value: Double, _ interval: (low: Double, high: Double)?) -> String {
    switch self {
    case .count: return value.formatted(0)
    case .number: return ReportFormat.number(value)
    case .decimals(let decimals): return value.formatted(decimals)
    case .thousandths: return ReportFormat.number(value * 1e3)
    case .bytes: return value.asBytes
    case .percent:
      guard let interval else { return (value * 100).formatted(0) }
      let (low, high) = (ReportFormat.percent(interval.low), ReportFormat.percent(interval.high))
      return "\(ReportFormat.percent(value)) % (\(low) to \(high))"
    }
  }
}
