"""Communication between threads: atomic counters and cancellation of a run.

Imports simd and the compiler.
"""
