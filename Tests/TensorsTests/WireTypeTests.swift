import Tensors
import Testing

@Suite struct WireTypeTests {
  @Test func whatCanBeChosenCanBeSent() {
    for type in WireType.allCases { #expect(PackedElements.isSupported(type.elementType)) }
    #expect(!PackedElements.isSupported(.int64) && !PackedElements.isSupported(.uint8))
    #expect(PackedElements.supported.filter(\.hasScale) == [.int8])
  }

  @Test func namesAreListed() {
    #expect(
      WireType.summary
        == "f32, f16 (half the bytes, slightly rounded) or i8 (a quarter, rounded to 255 steps)")
    #expect(WireType.text([.f16, .i8, .i8]) == "i8 (2), f16 (1)")
    #expect(PackedElements.supported.map(\.rawValue).listed(before: "or") == "F32, F16 or I8")
    #expect(["one"].listed(before: "or") == "one" && [String]().listed(before: "or").isEmpty)
  }
}
