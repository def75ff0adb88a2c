// ONNXImportTests
