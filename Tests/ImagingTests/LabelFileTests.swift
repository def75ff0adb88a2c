import Foundations
import Imaging
import ModelCards
import Processes
import TensorFiles
import Testing

/// Files of class names.
@Suite struct LabelFileTests {
  /// Reads names from a file with this text and fits them to a number of outputs.
  private func names(
    _ text: String, outputs: Int, file: String = "labels"
  ) throws -> [String] {
    try TemporaryFolder.with { folder in
      let path = folder + "/" + file
      try FileSystem.write(Array(text.utf8), to: path)
      return try LabelNames.read(path).fitted(to: outputs, source: path).names
    }
  }

  @Test(arguments: [
    ("cat\ndog\n", ["cat", "dog"]), ("a cat\r\na dog \r\n\r\n", ["a cat", "a dog"]),
    ("\u{FEFF}cat\ndog", ["cat", "dog"]),
    // A blank line is a class without a name, and shifts nothing.
    ("cat\n\ndog\n", ["cat", "class 1", "dog"]),
    ("1\tdog\n0\tcat\n", ["cat", "dog"]),
    ("\u{FEFF}0\tcat\n\n2\tdog\n", ["cat", "class 1", "dog"]),
    ("label\twnid\tname\n0\tn0\tcat\n2\tn2\tdog\n", ["cat", "class 1", "dog", "class 3"]),
    (#"["cat", "dog"]"#, ["cat", "dog"]), (#"{"1": "dog", "0": "cat"}"#, ["cat", "dog"]),
    (#" {"dog": 1, "cat": 0}"#, ["cat", "dog", "class 2"]),
    (#"{"0": ["n0", "cat"], "1": ["n1", "dog"]}"#, ["cat", "dog"]),
    (#"{"preprocessing": {}, "labels": ["cat", "dog"]}"#, ["cat", "dog"]),
    (#"{"id2label": {"0": "cat", "1": "dog"}}"#, ["cat", "dog"]),
    ("no\nyes\n", ["no", "yes"]),
  ])
  func namesAreRead(text: String, expected: [String]) throws {
    #expect(try names(text, outputs: expected.count) == expected)
  }

  @Test(arguments: [
    ("a\nb\nc\nd\n", "4 class names for 3 outputs"), ("a\nb\n", "2 class names for 3 outputs"),
    ("a\nb\n\nc\n", "4 class names for 3 outputs"), (#"["a", "b"]"#, "2 class names"),
    ("0\ta\n3\tb\n", "label: 3, outputs: 3"), (#"{"a": 7}"#, "label: 7, outputs: 3"),
  ])
  func namesMustFitTheOutputs(text: String, message: String) {
    let error = #expect(throws: MartletError.self) { try names(text, outputs: 3) }
    #expect(error?.code == .mismatch)
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }

  @Test func oneOutputTellsTwoClassesApart() throws {
    #expect(try names("no\nyes\n", outputs: 1) == ["no", "yes"])
    #expect(try names("yes\n", outputs: 1) == ["yes"])
    #expect(throws: MartletError.self) { try names("a\nb\nc\n", outputs: 1) }
  }

  @Test(arguments: [
    ("", "labels", "empty"), ("\n\n", "labels", "empty"), ("x\tcat\n", "labels", "line: 1"),
    ("0\tcat\n99999999999\tdog\n", "labels", "line: 2"),
    ("0\tcat\n\n0\tdog\n", "labels", "line: 3"),
    ("- cat\n- dog\n", "labels", "YAML"), ("0: cat\n1: dog\n", "labels", "<TAB>"),
    ("names:\n  0: cat\n", "classes.yaml", "YAML"), ("0,cat\n1,dog\n", "labels.txt", "<TAB>"),
    ("cat,dog\n", "labels.csv", "<TAB>"), (#"["cat", 1]"#, "labels", "than names"),
    (#"{"cat": "dog"}"#, "labels", "the member cat"), (#"{"a": 1, "b": 1}"#, "labels", "twice"),
    (#"["cat""#, "labels", "JSON"), ("cat\ndog\n", "labels.json", "JSON"),
    ("3", "x.json", "neither"),
  ])
  func otherFilesAreRefused(text: String, file: String, message: String) {
    let error = #expect(throws: MartletError.self) { try names(text, outputs: 2, file: file) }
    #expect(error?.code == .invalidFile)
    for part in [file, message] {
      #expect(error?.description.contains(part) == true, "\(String(describing: error))")
    }
  }

  @Test func textOfOtherEncodingsIsRefused() throws {
    try TemporaryFolder.with { folder in
      try FileSystem.write([0xFF, 0xFE, 0x63, 0x00, 0x0A, 0x00], to: folder + "/wide")
      let error = #expect(throws: MartletError.self) { try LabelNames.read(folder + "/wide") }
      #expect(error?.description.contains("UTF-8") == true)
    }
  }

  /// ImageNet's folders bear synset identifiers, which a table has in a column of its own.
  @Test func otherColumnsNameFolders() throws {
    let picture = try Goldens.bytes("palette.png")
    try TemporaryFolder.with { folder in
      let path = folder + "/classes.tsv"
      try FileSystem.write(
        Array("label\twnid\tname\n0\tn01\ttench\n1\tn02\tgoldfish\n2\tn03\tshark\n".utf8), to: path)
      let names = try LabelNames.read(path).fitted(to: 3, source: path)
      for name in ["set/n03", "set/goldfish"] {
        try FileSystem.createFolder(folder + "/" + name)
        try FileSystem.write(picture, to: folder + "/\(name)/x.png")
      }
      let set = try ImageSet.open(
        paths: [folder + "/set"], labelling: .classes(names, outputs: 3))
      #expect((0..<set.count).map(set.label) == [1, 2])
    }
  }
}
