"""Vectors in registers: types and formulas, loads and stores, tiles of registers, aligned memory.

Imports the compiler.
"""
