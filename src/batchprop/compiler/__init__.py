"""How kernels are compiled and kept; numba is used here and nowhere above.

``jit`` is the policy and has the decorators, ``target`` knows the processor, ``llvm_module`` and
``lowering`` drive numba, ``kernel_struct`` passes arguments.  Compiled kernels are kept by
``kernel_cache`` in the folders of ``cache_folders``, under names that ``source_digest`` makes of
their sources; ``compile_lock`` lets one process compile and others wait.

Imports nothing of the package.
"""
