// JSONCoding
