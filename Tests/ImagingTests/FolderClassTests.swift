import Foundations
import Glibc
import Imaging
import ModelCards
import Processes
import TensorFiles
import Testing

/// What folders of images are taken for.
@Suite struct FolderClassTests {
  private static let digits = LabelNames((0..<10).map { "\($0)" })
  private static let pets = LabelNames(["dog", "bird", "cat"])

  /// A folder with an image at each of the paths.
  private func withImages(_ paths: [String], _ body: (String) throws -> Void) throws {
    let picture = try Goldens.bytes("palette.png")
    try TemporaryFolder.with { folder in
      for path in paths {
        try FileSystem.createFolder(FileSystem.folder(of: folder + "/" + path))
        try FileSystem.write(picture, to: folder + "/" + path)
      }
      try body(folder)
    }
  }

  private func expect(
    _ folder: String, _ labelling: ImageLabelling, _ labels: [Int?],
    location: SourceLocation = #_sourceLocation
  ) throws {
    let set = try ImageSet.open(paths: [folder], labelling: labelling)
    #expect((0..<set.count).map(set.label) == labels, sourceLocation: location)
  }

  private func check(
    _ folder: String, _ labelling: ImageLabelling, says parts: String...,
    location: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: MartletError.self, sourceLocation: location) {
      try ImageSet.open(paths: [folder], labelling: labelling)
    }
    #expect(error?.code == .mismatch, sourceLocation: location)
    for part in parts {
      #expect(
        error?.description.contains(part) == true, "\(part) in \(String(describing: error))",
        sourceLocation: location)
    }
  }

  @Test func namesDecide() throws {
    try withImages(["dog/1.png", "cat/2.png", "cat/1.PNG", "dog/notes.txt"]) { folder in
      let set = try ImageSet.open(paths: [folder], labelling: .classes(Self.pets, outputs: 3))
      #expect((0..<set.count).map(set.name) == ["cat/1.PNG", "cat/2.png", "dog/1.png"])
      #expect((0..<set.count).map(set.label) == [2, 2, 0])
      #expect(set.labelNames == Self.pets)
      check(
        folder, .classes(LabelNames(["dog", "cow", "hen"]), outputs: 3), says: "folder: cat",
        "known: dog, cow, hen")
      // Each folder by itself has no classes.
      let files = try ImageSet.open(
        paths: [folder + "/cat", folder + "/dog/1.png"],
        labelling: .classes(Self.pets, outputs: 3))
      #expect((0..<files.count).map(files.label) == [nil, nil, nil])
    }
  }

  /// What is missing shifts nothing: half of the digits, by name and by number.
  @Test(arguments: [ImageLabelling.classes(digits, outputs: 10), .classes(nil, outputs: 10)])
  func someOfTheDigits(labelling: ImageLabelling) throws {
    try withImages((5...9).map { "\($0)/x.png" }) { folder in
      try expect(folder, labelling, [5, 6, 7, 8, 9])
    }
  }

  @Test func aLoneFolderIsTheClassThatItNames() throws {
    try withImages(["cat/1.png", "cat/2.png"]) { folder in
      try expect(folder, .classes(Self.pets, outputs: 3), [2, 2])
      try expect(folder, .classes(nil, outputs: 3), [nil, nil])
    }
    try withImages(["cat/monday/1.png", "cat/tuesday/2.png"]) { folder in
      try expect(folder, .classes(Self.pets, outputs: 3), [2, 2])
    }
  }

  @Test func withoutNamesThereIsAFolderForEachOutput() throws {
    try withImages(["b/1.png", "c/1.png", "a/1.png"]) { folder in
      let set = try ImageSet.open(paths: [folder], labelling: .classes(nil, outputs: 3))
      #expect((0..<set.count).map(set.label) == [0, 1, 2])
      #expect(set.labelNames == LabelNames(["a", "b", "c"]))
      check(
        folder, .classes(nil, outputs: 4), says: "folders: a, b, c", "count: 3", "outputs: 4",
        "--labels")
      try expect(folder, .groups(nil), [0, 1, 2])
      try expect(folder, .none, [nil, nil, nil])
      check(folder, .groups(Self.pets), says: "folder: a")
    }
  }

  @Test func numbersAreOutputsUnlessClassesAreNamedByNumbers() throws {
    try withImages(["02/1.png", "0/1.png"]) { folder in
      try expect(folder, .classes(Self.pets, outputs: 3), [0, 2])
    }
    try withImages(["5/1.png", "7/1.png"]) { folder in
      try expect(folder, .classes(LabelNames(["7", "6", "5"]), outputs: 3), [2, 0])
      check(folder, .classes(LabelNames(["1", "2", "5"]), outputs: 3), says: "folder: 7")
      check(folder, .classes(nil, outputs: 6), says: "outputs: 6")
    }
    // As many as outputs, but not their numbers: in the order of the names.
    try withImages(["1/1.png", "10/1.png", "2/1.png"]) { folder in
      try expect(folder, .classes(nil, outputs: 3), [0, 1, 2])
    }
  }

  @Test func aNameOfTwoClassesIsNoFolder() throws {
    try withImages(["crane/1.png", "0/1.png"]) { folder in
      check(
        folder, .classes(LabelNames(["crane", "wren", "crane"]), outputs: 3),
        says: "folder: crane", "outputs: 0 2")
    }
  }

  @Test func imagesBesideClassFoldersHaveNoLabel() throws {
    try withImages(["cat/1.png", "preview.png"]) { folder in
      try expect(folder, .classes(Self.pets, outputs: 3), [2, nil])
    }
    try withImages(["holiday/1.png", "preview.png"]) { folder in
      try expect(folder, .classes(Self.pets, outputs: 3), [nil, nil])
    }
    try withImages(["cat/1.png", "holiday/1.png", "preview.png"]) { folder in
      check(folder, .classes(Self.pets, outputs: 3), says: "folder: holiday")
    }
  }

  /// The order of the classes is that of all folders together.
  @Test func severalFoldersAreOneSet() throws {
    try withImages(["train/cat/1.png", "test/ant/1.png", "train/dog/1.png"]) { folder in
      let set = try ImageSet.open(
        paths: [folder + "/train", folder + "/test/ant/1.png"],
        labelling: .classes(nil, outputs: 2))
      #expect((0..<set.count).map(set.label) == [0, 1, nil])
    }
  }

  @Test func linksAreFollowedAndEnd() throws {
    try withImages(["real/1.png", "set/cat/1.png", "set/dog/1.png"]) { folder in
      #expect(symlink("../real", folder + "/set/bird") == 0)
      #expect(symlink("..", folder + "/set/dog/loop") == 0)
      #expect(symlink("nowhere.png", folder + "/set/dog/2.png") == 0)
      #expect(symlink("../cat/1.png", folder + "/set/dog/3.png") == 0)
      let set = try ImageSet.open(
        paths: [folder + "/set"], labelling: .classes(Self.pets, outputs: 3))
      #expect(
        (0..<set.count).map(set.name) == [
          "bird/1.png", "cat/1.png", "dog/1.png", "dog/2.png", "dog/3.png",
        ])
      #expect((0..<set.count).map(set.label) == [1, 2, 0, 0, 0])
      #expect(try set.load(0) == set.load(4))
      let error = #expect(throws: MartletError.self) { try set.load(3) }
      #expect(error?.code == .notFound && error?.description.contains("2.png") == true)
      for link in ["bird", "dog/loop"] { #expect(unlink(folder + "/set/" + link) == 0) }
      #expect(unlink(folder + "/set/dog/2.png") == 0)
    }
  }
}
