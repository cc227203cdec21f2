"""Compilation of kernels with numba, and the on-disk cache of compiled kernels.

- ``jit``: the decorators, and the compiler options of every kernel.
- ``llvm_module`` and ``lowering``: the numba compiler passes that kernels go through.
- ``kernel_struct``: how a NamedTuple of arrays and sizes is passed to a kernel.
- ``kernel_call``: a call of a kernel as data, for whoever compiles it before it is called.
- ``target``: the processor that kernels are compiled for.
- ``kernel_cache``: compiled kernels on disk, in the folders that ``cache_folders`` chooses, under
  names that contain the digest of their sources (``source_digest``).
- ``compile_notice``: the line on a terminal that says that kernels are being compiled.
- ``compile_lock``: one process compiles a kernel while others wait for the result.
- ``second_process``: another process compiles some of the kernels that are missing.

Imports nothing else of the package.
"""
