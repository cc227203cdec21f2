"""Shorter LLVM code than numba's default for deletions, ``range`` loops, operators and indices.

Kernels do not count references, so no decref is emitted when a variable ends.  ``range`` counts
upwards only: numba's version supports steps of either sign and divides to find the number of
iterations, which is half of the code to compile and takes longer than the sums of a tiny network.

Indices count from the start of an array only.  To numba a negative index counts from the end: it
compares each one with 0, which keeps LLVM from vectorising loops with a variable start.

Signatures of operators come from the typing context's cache; numba resolves each of them again.

Variables are not described to debuggers.  numba asks LLVM for the size of each of them to that end,
whether there is a debugger or not: a twentieth of the compilation.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils, typed_passes
from numba.core.compiler_machinery import register_pass
from numba.core.errors import LoweringError
from numba.core.ir_utils import find_const, guard
from numba.core.lowering import Lower


def _unsigned(index_type: Any) -> Any:
    """Return the unsigned type of an index, or of a tuple of indices."""
    if isinstance(index_type, types.Integer):
        return types.uintp
    if isinstance(index_type, types.UniTuple) and isinstance(index_type.dtype, types.Integer):
        return types.UniTuple(types.uintp, index_type.count)
    return index_type


class _Lowering(Lower):  # type: ignore[misc]
    def delvar(self, name: str) -> None:
        """Emit nothing: there are no reference counts."""

    def alloca_lltype(self, name: str, lltype: Any, datamodel: Any = None) -> Any:
        """Reserve memory for a variable, without a description for debuggers."""
        return cgutils.alloca_once(self.builder, lltype, name=name)

    def storevar(self, value: Any, name: str, argidx: int | None = None) -> None:
        """Store a variable; arguments are not described either."""
        super().storevar(value, name)

    def lower_expr(self, numba_type: Any, expr: Any) -> Any:
        """Lower an expression; loops over ``range`` get the short form."""
        if expr.op == "getiter" and isinstance(self.typeof(expr.value.name), types.RangeType):
            return self._begin_range(numba_type, expr.value)
        if expr.op == "iternext":
            iterable_type = self.typeof(expr.value.name)
            if isinstance(iterable_type, types.RangeIteratorType):
                return self._next_in_range(numba_type, iterable_type, expr.value)
        return super().lower_expr(numba_type, expr)

    def lower_binop(self, result_type: Any, expr: Any, function: Any) -> Any:
        """Lower an operator of two operands."""
        types_found = self.fndesc.calltypes[expr].args
        return self._operation(result_type, function, types_found, expr.lhs, expr.rhs)

    def lower_getitem(
        self, result_type: Any, expr: Any, value: Any, index: Any, signature: Any
    ) -> Any:
        """Lower ``value[index]``."""
        container, index_type = signature.args
        operand_types = container, _unsigned(index_type)
        return self._operation(result_type, operator.getitem, operand_types, value, index)

    def lower_setitem(self, target: Any, index: Any, value: Any, signature: Any) -> Any:
        """Lower ``target[index] = value``."""
        container, index_type, value_type = signature.args
        operand_types = container, _unsigned(index_type), value_type
        return self._operation(types.none, operator.setitem, operand_types, target, index, value)

    def _operation(
        self, result_type: Any, function: Any, operand_types: Any, *operands: Any
    ) -> Any:
        """Lower an operation on operands that are converted to ``operand_types``."""
        builder, cast = self.builder, self.context.cast
        kind = self.context.typing_context.resolve_value_type(function)
        signature = self.library.typing.resolve_function_type(kind, operand_types, {})
        values = [
            cast(builder, self.loadvar(operand.name), self.typeof(operand.name), operand_type)
            for operand, operand_type in zip(operands, operand_types, strict=True)
        ]
        result = self.context.get_function(kind, signature)(builder, values)
        return cast(builder, result, signature.return_type, result_type)

    def _begin_range(self, iterator_type: Any, iterable: Any) -> Any:
        """Return a range iterator: a pointer to its counter, its end and its step."""
        args: Any = getattr(guard(self.func_ir.get_definition, iterable), "args", ())
        step_constant = guard(find_const, self.func_ir, args[2]) if len(args) == 3 else None
        if step_constant is not None and step_constant <= 0:
            raise LoweringError("in a kernel a range counts up", loc=self.loc)
        builder, range_value = self.builder, self.loadvar(iterable.name)
        start, stop, step = (builder.extract_value(range_value, k) for k in range(3))
        counter = cgutils.alloca_once(builder, start.type)
        builder.store(start, counter)
        iterator = cgutils.get_null_value(self.context.get_value_type(iterator_type))
        for k, value in enumerate((counter, stop, step)):
            iterator = builder.insert_value(iterator, value, k)
        return iterator

    def _next_in_range(self, pair_type: Any, iterator_type: Any, iterator: Any) -> Any:
        """Return the next number and whether it is inside the range."""
        builder, state = self.builder, self.loadvar(iterator.name)
        counter, stop, step = (builder.extract_value(state, k) for k in range(3))
        number = builder.load(counter)
        builder.store(builder.add(number, step, flags=("nsw",)), counter)
        valid = builder.icmp_signed("<", number, stop)
        pair = ir.Constant(self.context.get_value_type(pair_type), ir.Undefined)
        return builder.insert_value(builder.insert_value(pair, number, 0), valid, 1)


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelLowering(typed_passes.NativeLowering):  # type: ignore[misc]
    """numba's lowering pass with the class above."""

    _name = "kernel_lowering"

    @property
    def lowering_class(self) -> type[Lower]:
        """The class that emits LLVM instructions."""
        return _Lowering
