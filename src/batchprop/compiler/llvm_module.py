"""How kernels are compiled: a short list of numba passes, and one LLVM module per kernel.

numba compiles each function as a library of its own: text that LLVM parses, verifies, optimises,
links, and optimises again as part of each caller.  Here a kernel and its parts are written into
one module, which LLVM reads and optimises once.  The parts have internal linkage, so LLVM drops a
part that was inlined everywhere and removes unused arguments.

LLVM's loop unrolling is off: the large kernels are written with vectors and with tiles of as many
independent sums as a processor needs, and longer loop bodies only double the machine code.  Loop
vectorisation is on, for plain loops over θ as in the solvers.  numba passes that kernels do not
need are left out: closures, inlining, array expressions, dead branch pruning, literal unrolling,
deletion of variables.  Type inference of calls is cached: see ``_CachedTyping``.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from llvmlite import binding
from numba.core import compiler, config, typed_passes, types, untyped_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_machinery import PassManager

from batchprop.compiler.lowering import KernelLowering


class Inlining(Enum):
    """Whether LLVM inlines a part of a kernel into its callers."""

    ALWAYS = "alwaysinline"
    NEVER = "noinline"
    LLVM_DECIDES = ""


_UP_TO_LOWERING = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.ReconstructSSA,
    typed_passes.NopythonTypeInference,
    typed_passes.PreLowerStripPhis,
)


def _pipeline(name: str, *final_passes: Any) -> list[PassManager]:
    manager = PassManager(name)
    for compiler_pass in (*_UP_TO_LOWERING, *final_passes):
        manager.add_pass(compiler_pass)
    manager.finalize()
    return [manager]


class KernelLibrary(JITCodeLibrary):  # type: ignore[misc]
    """The code of one kernel and all its parts."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self.typing: Any = None  # the typing context, shared by all parts
        self.parts: dict[Any, Any] = {}  # descriptors of the parts compiled so far
        self._attributes: dict[str, str] = {}  # LLVM function name -> attribute
        self._module = super().create_ir_module(name)
        self.enable_object_caching()  # object code is needed for the on-disk cache

    def create_ir_module(self, name: str) -> Any:
        """Return the module that the kernel and all its parts are written into."""
        return self._module

    def add_ir_module(self, ir_module: Any) -> None:
        """Add another module; the kernel's own module is added when it is complete."""
        if ir_module is not self._module:
            super().add_ir_module(ir_module)

    def add_part(self, key: Any, descriptor: Any, inlining: Inlining) -> None:
        """Store the descriptor of a compiled part for its next caller."""
        self.parts[key] = descriptor
        self._attributes[descriptor.llvm_func_name] = inlining.value

    def finalize(self) -> None:
        """Generate machine code."""
        for name, attribute in self._attributes.items():
            function = self._module.get_global(name)
            function.linkage = "internal"
            if attribute:
                function.attributes.add(attribute)
        super().add_ir_module(self._module)
        super().finalize()

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        options = binding.create_pipeline_tuning_options(int(config.OPT))
        options.loop_unrolling = options.slp_vectorization = False
        options.loop_vectorization = options.loop_interleaving = bool(config.LOOP_VECTORIZE)
        builder = binding.create_pass_builder(self._codegen._tm, options)
        builder.getModulePassManager().run(self._final_module, builder)


class _CachedTyping:
    """numba's typing context with a cache of call signatures.

    Kernels add and compare integers everywhere, and numba checks dozens of rules each time to find
    that the sum of two integers is an integer.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._signatures: dict[Any, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, function: Any, args: Any, kws: Any) -> Any:
        """Return the signature of a call."""
        if not isinstance(function, types.Function) or kws:
            return self._context.resolve_function_type(function, args, kws)
        call = function, tuple(args)
        if call not in self._signatures:
            self._signatures[call] = self._context.resolve_function_type(function, args, kws)
        return self._signatures[call]


@contextmanager
def _garbage_collection_disabled() -> Iterator[None]:
    """Disable garbage collection: it takes a seventh of the compilation and frees little."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class KernelCompiler(compiler.CompilerBase):  # type: ignore[misc]
    """Compiles a kernel into a library of its own."""

    def compile_extra(self, func: Callable[..., Any]) -> Any:
        """Compile; numba's compiler lock admits one thread at a time."""
        with _garbage_collection_disabled():
            return super().compile_extra(func)

    def define_pipelines(self) -> list[PassManager]:
        """Return the passes for a kernel."""
        state = self.state
        state.typingctx = _CachedTyping(state.typingctx)
        state.library = KernelLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.typing = state.typingctx
        return _pipeline(
            "kernel",
            typed_passes.AnnotateTypes,
            KernelLowering,
            typed_passes.NoPythonBackend,
        )


class _PartCompiler(compiler.CompilerBase):  # type: ignore[misc]
    """Compiles a part into the library of its kernel."""

    def define_pipelines(self) -> list[PassManager]:
        """Return the passes for a part."""
        return _pipeline("part", KernelLowering)


def compile_part(
    context: Any, function: Callable[..., Any], signature: Any, inlining: Inlining
) -> Any:
    """Compile a function once into the kernel being compiled; return its descriptor."""
    library = context.active_code_library
    key = function, signature
    if key not in library.parts:
        flags = compiler.Flags()
        flags.nrt = False
        flags.error_model = "numpy"
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        part = _PartCompiler(
            library.typing, context, library,
            signature.args, signature.return_type, flags, locals={},
        )  # fmt: skip
        library.add_part(key, part.compile_extra(function).fndesc, inlining)
    return library.parts[key]
