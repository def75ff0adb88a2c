#!/usr/bin/env python3
"""Prints the tables of Sources/ONNXImport/OperatorVersions.swift: the first version of the operator set
that has each operator, and the first that has it no more.

    tools/golden/list-operator-versions.py

Needs onnx.
"""
import onnx


def main():
    first, end = {}, {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain:
            continue
        table = end if schema.deprecated else first
        table[schema.name] = min(table.get(schema.name, 999), schema.since_version)
    line = "   "
    for name in sorted(first):
        entry = f' "{name}": {first[name]},'
        if len(line) + len(entry) > 100:
            print(line)
            line = "   "
        line += entry
    print(line)
    print(", ".join(f'"{name}": {end[name]}' for name in sorted(end) if first.get(name, 999) < end[name]))


if __name__ == "__main__":
    main()
