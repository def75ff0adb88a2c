// JSONCodingTests
