import Engine
import Foundations
import Testing

/// How many frames are under way, with devices that answer so many at once and no more.
@Suite struct FlightWindowTests {
  private struct Course {
    var window: FlightWindow
    var now = 1e9
    var sizes: [Int] = []

    init(width: Int, frameBytes: Int = 1000, frameLimit: UInt64 = 5_000_000_000) {
      window = FlightWindow(frameBytes: frameBytes, frameLimit: frameLimit)
      window.follow(width)
      sizes = [window.size]
    }

    /// Answers that take `milliseconds` each, of which `capacity` are computed at once.
    mutating func run(_ answers: Int, capacity: Int, milliseconds: Double) {
      for _ in 0..<answers {
        let rate = Double(min(window.size, capacity)) / milliseconds / 1e6
        now += 1 / rate
        window.answered(
          latency: UInt64(Double(window.size) / rate), at: MonotonicTime(nanoseconds: UInt64(now)))
        if sizes.last != window.size { sizes.append(window.size) }
      }
    }
  }

  /// By devices that work by themselves, and frames that they compute at once: how it grows, one step
  /// beyond what pays, and back.
  @Test(arguments: [
    (4, 8, [4, 8, 12, 8, 12, 8]), (1, 5, [1, 2, 3, 4, 5, 6, 5, 6, 5]), (4, 1, [4, 8, 4, 8, 4]),
    (3, 9, [3, 6, 9, 12, 9, 12, 9]),
  ])
  func growsWhileThatPays(_ width: Int, _ capacity: Int, _ sizes: [Int]) {
    var course = Course(width: width)
    course.run(4000, capacity: capacity, milliseconds: 10)
    #expect(Array(course.sizes.prefix(sizes.count)) == sizes, "\(course.sizes)")
    #expect(course.sizes.allSatisfy { $0 <= sizes.max() ?? 0 })
  }

  @Test func isMostlyWherePaysMost() {
    var course = Course(width: 4)
    course.run(500, capacity: 8, milliseconds: 10)
    var atBest = 0
    for _ in 0..<1000 {
      course.run(1, capacity: 8, milliseconds: 10)
      if course.window.size == 8 { atBest += 1 }
    }
    #expect(atBest > 800)
  }

  @Test func slowAnswersMakeItSmaller() {
    var course = Course(width: 4)
    course.run(200, capacity: 16, milliseconds: 10)
    let size = course.window.size
    #expect(size >= 12)
    course.window.answered(latency: 2_600_000_000, at: .zero)
    #expect(course.window.size == size - 4)
    for _ in 0..<100 { course.window.answered(latency: 2_600_000_000, at: .zero) }
    #expect(course.window.size == 4)
  }

  @Test func followsTheDevices() {
    var course = Course(width: 4)
    course.run(200, capacity: 8, milliseconds: 10)
    let size = course.window.size
    course.window.follow(3)
    #expect(course.window.size == (size * 3 + 3) / 4)
    course.window.follow(0)
    #expect(course.window.size >= 1 && course.window.size <= 4)
    course.window.follow(8)
    #expect(course.window.size >= 8)
  }

  @Test(arguments: [(8 << 20, 8), (64 << 20, 1), (1 << 30, 1), (1, 256), (0, 256)])
  func isBoundedByMemory(_ bytes: Int, _ most: Int) {
    var course = Course(width: 32, frameBytes: bytes)
    #expect(course.window.size == min(32, most))
    course.run(60_000, capacity: 1000, milliseconds: 10)
    #expect(course.sizes.max() == most, "\(course.sizes)")
  }
}
