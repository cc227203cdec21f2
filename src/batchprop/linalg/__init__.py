"""Dense linear algebra on tiles of registers: products of panels, Cholesky's factor.

Imports simd, threads and the compiler.
"""
