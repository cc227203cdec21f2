"""How numba's instructions become LLVM's, where kernels can do with fewer.

There are no references to count, so that the end of a variable is nothing to be written down.  And
``range`` counts up: numba's divides to know how often a loop runs, for any step of either sign,
which is half of what there would be to compile, and takes a tiny network longer than its sums.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils, typed_passes
from numba.core.compiler_machinery import register_pass
from numba.core.errors import LoweringError
from numba.core.ir_utils import find_const, guard
from numba.core.lowering import Lower


class _Lowering(Lower):  # type: ignore[misc]
    def delvar(self, name: str) -> None:
        """Leave a variable as it is."""

    def lower_expr(self, kind: Any, expr: Any) -> Any:
        """Write an expression."""
        if expr.op == "getiter" and isinstance(self.typeof(expr.value.name), types.RangeType):
            return self._begin_range(kind, expr.value)
        if expr.op == "iternext":
            of = self.typeof(expr.value.name)
            if isinstance(of, types.RangeIteratorType):
                return self._next_in_range(kind, of, expr.value)
        return super().lower_expr(kind, expr)

    def _begin_range(self, kind: Any, of: Any) -> Any:
        """Return an iterator: where its next number stands, where it ends, and by which step."""
        args: Any = getattr(guard(self.func_ir.get_definition, of), "args", ())
        known = guard(find_const, self.func_ir, args[2]) if len(args) == 3 else None
        if known is not None and known <= 0:
            raise LoweringError("in a kernel a range counts up", loc=self.loc)
        builder, given = self.builder, self.loadvar(of.name)
        start, stop, step = (builder.extract_value(given, k) for k in range(3))
        place = cgutils.alloca_once(builder, start.type)
        builder.store(start, place)
        found = cgutils.get_null_value(self.context.get_value_type(kind))
        for k, value in enumerate((place, stop, step)):
            found = builder.insert_value(found, value, k)
        return found

    def _next_in_range(self, kind: Any, of: Any, iterator: Any) -> Any:
        """Return the next number, and whether there is one."""
        builder, given = self.builder, self.loadvar(iterator.name)
        place, stop, step = (builder.extract_value(given, k) for k in range(3))
        number = builder.load(place)
        builder.store(builder.add(number, step, flags=("nsw",)), place)
        valid = builder.icmp_signed("<", number, stop)
        pair = ir.Constant(self.context.get_value_type(kind), ir.Undefined)
        return builder.insert_value(builder.insert_value(pair, number, 0), valid, 1)


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelLowering(typed_passes.NativeLowering):  # type: ignore[misc]
    """The pass that does it."""

    _name = "kernel_lowering"

    @property
    def lowering_class(self) -> type[Lower]:
        """The class that writes LLVM's instructions."""
        return _Lowering
