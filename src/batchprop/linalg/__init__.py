"""Dense linear algebra on tiles of registers: products of panels, Cholesky's factorisation.

Imports simd, threads and the compiler.
"""
