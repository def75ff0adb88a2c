import Foundations
import Tensors
import Testing

@Suite struct ShapeTests {
  @Test func extentsStridesAndCounts() {
    let shape: Shape = [2, 3, 4]
    #expect(shape.count == 24 && shape.rank == 3 && shape[1] == 3)
    #expect(shape.strides == [12, 4, 1])
    #expect(shape.outerCount(before: 1) == 2 && shape.innerCount(after: 1) == 4)
    #expect(shape.replacing(axis: 0, with: 5) == [5, 3, 4])
    #expect(shape.description == "2x3x4")
    let scalar: Shape = []
    #expect(scalar.count == 1 && scalar.description == "scalar" && scalar.strides == [])
    #expect(Shape([0, 7]).count == 0)
  }

  @Test(arguments: [
    [-1], [1, -2], [1 << 33, 2], [Int.max, Int.max], [Int](repeating: 1, count: 17),
  ])
  func unreasonableExtentsAreRefused(dimensions: [Int]) {
    let error = #expect(throws: MartletError.self) { try Shape(checking: dimensions) }
    #expect(error?.code == .invalidShape)
  }

  @Test func reasonableExtentsPass() throws {
    #expect(try Shape(checking: [1 << 33]).count == Shape.maximumCount)
    #expect(try Shape(checking: []).rank == 0)
  }

  @Test func tensorsKnowTheirType() {
    let floats = Tensor([2, 2], [1, 2, 3, 4] as [Float])
    #expect(floats.elementType == .float32 && floats.floats == [1, 2, 3, 4])
    #expect(floats.integers == nil)
    let integers = Tensor([1], [5] as [Int64])
    #expect(integers.elementType == .int64 && integers.integers == [5] && integers.floats == nil)
    #expect(floats.reshaped([4]).shape == [4])
    #expect(ElementType.allCases.map(\.size) == [4, 2, 1, 1, 8])
  }
}
