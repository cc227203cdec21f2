"""What threads share: atomic counters, and the wish to end a run.

Imports simd and the compiler.
"""
