"""How numba's compiler is driven: few passes, and one module of LLVM's for a whole kernel.

numba treats each compiled function as a library of its own: text that LLVM parses, verifies,
optimises, links, and optimises again as part of its callers.  Here a kernel and its parts are
written into one module, which LLVM reads and optimises once.  The parts are internal to it: what
its callers have taken in is dropped, and arguments that a part does not use are not passed.

LLVM unrolls nothing: the large kernels are written in vectors and in tiles of as many independent
sums as a processor needs, and longer loop bodies double the machine code for nothing.  It makes
vectors of plain loops over θ, such as the solvers have.  Of numba's passes those are left out that
kernels have no use for: closures, inlined functions, array expressions, pruned branches, literal
unrolling, variables that end.  What is left is done once for each kind of call: see ``_Typing``.
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
    """Whether LLVM makes a part of a kernel part of the parts that call it."""

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


def _pipeline(name: str, *last: Any) -> list[PassManager]:
    manager = PassManager(name)
    for step in (*_UP_TO_LOWERING, *last):
        manager.add_pass(step)
    manager.finalize()
    return [manager]


class KernelLibrary(JITCodeLibrary):  # type: ignore[misc]
    """The code of one kernel and of all its parts."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self.typing: Any = None  # what its parts are typed with, too
        self.parts: dict[Any, Any] = {}  # descriptors of the parts compiled so far
        self._attributes: dict[str, str] = {}  # of LLVM's functions
        self._whole = super().create_ir_module(name)
        self.enable_object_caching()  # the kernel is kept on disk

    def create_ir_module(self, name: str) -> Any:
        """Return the one module that kernel and parts are written into."""
        return self._whole

    def add_ir_module(self, ir_module: Any) -> None:
        """Add a module, the whole one only when it is complete."""
        if ir_module is not self._whole:
            super().add_ir_module(ir_module)

    def add_part(self, key: Any, descriptor: Any, inlining: Inlining) -> None:
        """Keep the descriptor of a part for its next caller."""
        self.parts[key] = descriptor
        self._attributes[descriptor.llvm_func_name] = inlining.value

    def finalize(self) -> None:
        """Make machine code."""
        for name, attribute in self._attributes.items():
            function = self._whole.get_global(name)
            function.linkage = "internal"
            if attribute:
                function.attributes.add(attribute)
        super().add_ir_module(self._whole)
        super().finalize()

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        options = binding.create_pipeline_tuning_options(int(config.OPT))
        options.loop_unrolling = options.slp_vectorization = False
        options.loop_vectorization = options.loop_interleaving = bool(config.LOOP_VECTORIZE)
        builder = binding.create_pass_builder(self._codegen._tm, options)
        builder.getModulePassManager().run(self._final_module, builder)


class _Typing:
    """numba's typing context, with a memory: kernels add and compare integers all over.

    numba goes through dozens of rules to find that the sum of two integers is one, each time.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._known: dict[Any, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, function: Any, args: Any, kws: Any) -> Any:
        """Return the signature of a call."""
        if not isinstance(function, types.Function) or kws:
            return self._context.resolve_function_type(function, args, kws)
        call = function, tuple(args)
        if call not in self._known:
            self._known[call] = self._context.resolve_function_type(function, args, kws)
        return self._known[call]


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Put off the collection of reference cycles, which finds little and takes a seventh of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class KernelCompiler(compiler.CompilerBase):  # type: ignore[misc]
    """Compile a kernel into a library of its own."""

    def compile_extra(self, func: Callable[..., Any]) -> Any:
        """Compile; numba lets one thread at a time come here."""
        with _without_collecting():
            return super().compile_extra(func)

    def define_pipelines(self) -> list[PassManager]:
        """Return the passes."""
        state = self.state
        state.typingctx = _Typing(state.typingctx)
        state.library = KernelLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.typing = state.typingctx
        return _pipeline(
            "kernel",
            typed_passes.AnnotateTypes,
            KernelLowering,
            typed_passes.NoPythonBackend,
        )


class _PartCompiler(compiler.CompilerBase):  # type: ignore[misc]
    """Compile a part into its kernel's library."""

    def define_pipelines(self) -> list[PassManager]:
        """Return the passes."""
        return _pipeline("part", KernelLowering)


def compile_part(
    context: Any, function: Callable[..., Any], signature: Any, inlining: Inlining
) -> Any:
    """Compile a function into the kernel that is being compiled, once; return its descriptor."""
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
