import Kernels
import ModelGraph
import Tensors
import TestSupport
import Testing

/// What is not a number stays so through every kernel that chooses between numbers. A device with a
/// broken weight is found by its parts, which it could not be if the next ReLU made them zero.
@Suite struct NotANumberTests {
  private func result(
    _ operation: ModelGraph.Operation, _ operands: [Tensor], output: Shape, constants: Set<Int> = []
  ) throws -> [Float] {
    let graph = Graph(operation, operands, output: output, constants: constants)
    let execution = try Execution(try Program(graph))
    let given = operands.enumerated().filter { !constants.contains($0.offset) }.map(\.element)
    return try execution.run(inputs: given)[0].floats ?? []
  }

  /// Numbers with NaN at every place in turn that a vector loop and its rest treat differently.
  private func expectKept(
    _ count: Int, sourceLocation: SourceLocation = #_sourceLocation,
    _ run: ([Float]) throws -> [Float]
  ) throws {
    for place in [0, 5, count - 1] {
      var x = (0..<count).map { Float($0 % 7) - 3 }
      x[place] = .nan
      let y = try run(x)
      #expect(
        y.indices.filter { y[$0].isNaN } == [place], "NaN at \(place)",
        sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: WindowTests.functions)
  func activation(_ activation: Activation) throws {
    try expectKept(37) { try result(.activation(activation), [Tensor([37], $0)], output: [37]) }
  }

  @Test(arguments: [
    UnaryFunction.negate, .absolute, .exponential, .errorFunction, .floor, .ceiling,
  ])
  func unary(_ function: UnaryFunction) throws {
    try expectKept(37) { try result(.unary(function), [Tensor([37], $0)], output: [37]) }
  }

  /// onnxruntime's values, which are those of IEEE 754, at every place of a vector loop.
  @Test func extremes() throws {
    let x: [Float] = [88.5, 88.75, 89, 1e30, .infinity, -200, -1e30, -.infinity]
    let repeated = Array((0..<5).map { _ in x }.joined())
    func run(_ operation: ModelGraph.Operation) throws -> [Float] {
      try result(operation, [Tensor([40], repeated)], output: [40])
    }
    let exponentials = try run(.unary(.exponential))
    for (index, value) in exponentials.enumerated() {
      switch x[index % 8] {
      case 88.5: #expect(abs(value / 2.7230879e38 - 1) < 1e-6)
      case 0...: #expect(value == .infinity)
      default: #expect(value == 0)
      }
    }
    let expected: [(Activation, [Float])] = [
      (.relu, [88.5, 88.75, 89, 1e30, .infinity, 0, 0, 0]),
      (.clip(minimum: 0, maximum: 6), [6, 6, 6, 6, 6, 0, 0, 0]),
      (.sigmoid, [1, 1, 1, 1, 1, 0, 0, 0]), (.tanh, [1, 1, 1, 1, 1, -1, -1, -1]),
      (.hardSigmoid(slope: 0.2, offset: 0.5), [1, 1, 1, 1, 1, 0, 0, 0]),
      (.leakyRelu(slope: 0.5), [88.5, 88.75, 89, 1e30, .infinity, -100, -5e29, -.infinity]),
    ]
    for (activation, values) in expected {
      #expect(
        try run(.activation(activation)) == Array((0..<5).map { _ in values }.joined()),
        "\(activation)")
    }
    for (index, value) in try run(.unary(.errorFunction)).enumerated() {
      #expect(abs(value - (x[index % 8] > 0 ? 1 : -1)) < 2e-7)
    }
  }

  /// A sensor that is lost must not look like zero behind a layer's own activation.
  @Test(arguments: [Activation.relu, .clip(minimum: 0, maximum: 6), .leakyRelu(slope: 0.1)])
  func depthwise(_ activation: Activation) throws {
    var x = [Float](repeating: 1, count: 2 * 20 * 20)
    for index in 0..<400 { x[index] = .nan }
    let y = try result(
      .convolution(
        Convolution(
          kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1), groups: 2, activation: activation)),
      [Tensor([1, 2, 20, 20], x), Tensor([2, 1, 3, 3], [Float](repeating: 0.5, count: 18))],
      output: [1, 2, 20, 20], constants: [1])
    #expect(y[..<400].allSatisfy { $0.isNaN })
    #expect(y[400...].allSatisfy { $0.isFinite })
  }

  @Test(arguments: [BinaryFunction.maximum, .minimum], [false, true])
  func foldedBinary(_ function: BinaryFunction, isSecond: Bool) throws {
    let (x, other): (Float, Float) = (.nan, 1)
    #expect((isSecond ? function.value(other, x) : function.value(x, other)).isNaN)
    #expect(function.value(1, 2) == (function == .maximum ? 2 : 1))
  }

  @Test(arguments: [BinaryFunction.maximum, .minimum], [false, true])
  func binary(_ function: BinaryFunction, isSecond: Bool) throws {
    let other = Tensor([37], [Float](repeating: 0, count: 37))
    try expectKept(37) {
      let x = Tensor([37], $0)
      return try result(.binary(function), isSecond ? [other, x] : [x, other], output: [37])
    }
  }

  /// Of 5 rows of 9, along the rows and across them.
  @Test(arguments: [Reduction.Kind.maximum, .minimum, .mean, .sum, .product], [0, 1])
  func reduction(_ kind: Reduction.Kind, axis: Int) throws {
    for place in 0..<45 {
      var x = (0..<45).map { Float($0) - 20 }
      x[place] = .nan
      let y = try result(
        .reduction(Reduction(kind: kind, axes: [axis])), [Tensor([5, 9], x)],
        output: axis == 0 ? [9] : [5])
      #expect(y.indices.filter { y[$0].isNaN } == [axis == 0 ? place % 9 : place / 9])
    }
  }

  /// Of 5 rows of 70, along the rows and across them.
  @Test(arguments: [false, true], [0, 1])
  func extremum(isSmallest: Bool, axis: Int) throws {
    for place in [0, 69, 140, 212, 349] {
      var x = (0..<350).map { Float($0 * 37 % 101) }
      x[place] = .nan
      let y = try result(
        .extremum(Extremum(axis: axis, isSmallest: isSmallest)), [Tensor([5, 70], x)],
        output: axis == 0 ? [1, 70] : [5, 1])
      #expect(y.indices.filter { y[$0].isNaN } == [axis == 0 ? place % 70 : place / 70])
    }
  }

  /// Nothing holds of what is not a number, and a choice is not made of what it leaves.
  @Test func comparison() throws {
    let x = Tensor([4], [Float.nan, 1, 2, .nan])
    let y = Tensor([4], [Float.nan, 2, 1, 0])
    let holds: [(BinaryFunction, [Float])] = [
      (.equal, [0, 0, 0, 0]), (.less, [0, 1, 0, 0]), (.lessOrEqual, [0, 1, 0, 0]),
      (.greater, [0, 0, 1, 0]), (.greaterOrEqual, [0, 0, 1, 0]),
    ]
    for (function, expected) in holds {
      #expect(try result(.binary(function), [x, y], output: [4]) == expected)
    }
    let chosen = try result(.choice, [Tensor([4], [0, 1, 0, 1] as [Float]), x, y], output: [4])
    #expect(chosen.indices.filter { chosen[$0].isNaN } == [0, 3])
    #expect(Array(chosen[1...2]) == [1, 1])
  }

  @Test(arguments: [0, 1], [false, true])
  func softmax(axis: Int, logarithmic: Bool) throws {
    var x = (0..<45).map { Float($0) - 20 }
    x[22] = .nan
    let y = try result(
      .softmax(axis: axis, logarithmic: logarithmic), [Tensor([5, 9], x)], output: [5, 9])
    let expected = (0..<45).filter { axis == 0 ? $0 % 9 == 4 : $0 / 9 == 2 }
    #expect(y.indices.filter { y[$0].isNaN } == expected)
  }

  @Test(arguments: [Pooling.Kind.maximum, .average])
  func pooling(_ kind: Pooling.Kind) throws {
    var x = [Float](repeating: 1, count: 64)
    x[27] = .nan
    let y = try result(
      .pooling(Pooling(kind: kind, kernel: Pair(2, 2), strides: Pair(2, 2))),
      [Tensor([1, 1, 8, 8], x)], output: [1, 1, 4, 4])
    #expect(y.indices.filter { y[$0].isNaN } == [5])
  }

  /// One broken weight of the second of three output channels.
  @Test(arguments: [1, 3], [Activation.relu, .clip(minimum: 0, maximum: 6), .hardSwish])
  func convolution(kernel: Int, activation: Activation) throws {
    let count = 3 * 4 * kernel * kernel
    var w = [Float](repeating: 0.5, count: count)
    w[count / 3 + 1] = .nan
    let y = try result(
      .convolution(
        Convolution(
          kernel: Pair(kernel, kernel),
          padding: Padding(kernel / 2, kernel / 2, kernel / 2, kernel / 2),
          activation: activation)),
      [
        Tensor([1, 4, 6, 6], [Float](repeating: 1, count: 144)),
        Tensor([3, 4, kernel, kernel], w),
      ], output: [1, 3, 6, 6], constants: [1])
    #expect(y[0..<36].allSatisfy { $0.isFinite })
    #expect(y[36..<72].contains { $0.isNaN })
    #expect(y[72..<108].allSatisfy { $0.isFinite })
  }

  @Test(arguments: [Activation.relu, .clip(minimum: 0, maximum: 6), .gelu])
  func dense(activation: Activation) throws {
    var w = [Float](repeating: 0.5, count: 3 * 40)
    w[77] = .nan
    let y = try result(
      .dense(Dense(activation: activation)),
      [Tensor([1, 40], [Float](repeating: 1, count: 40)), Tensor([3, 40], w)], output: [1, 3],
      constants: [1])
    #expect(y.indices.filter { y[$0].isNaN } == [1])
  }
}
