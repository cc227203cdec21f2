"""Records: the fields of a NamedTuple at one address, as kernels see them.

A kernel needs dozens of arrays and sizes.  As arguments they would be unpacked one by one at each
call and passed on to each part of the kernel, which is most of what there would be to compile.
Here the caller writes them down once, as words of 64 bits, and kernels read ``record.field`` where
they use it.  A record's words never change, so that the compiler may read them whenever it likes;
what its arrays hold may.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import NativeValue, models, register_model, unbox
from numba.np.numpy_support import from_dtype

_WORD = ir.IntType(64)
_types: dict[_TupleKind, KernelStructType] = {}


class _ArrayKind(NamedTuple):
    dtype: np.dtype[Any]
    ndim: int
    layout: str


class _TupleKind(NamedTuple):
    owner: Any
    fields: tuple[Any, ...]


class KernelStruct:
    """A NamedTuple that kernels can be given.

    Fields are integers, floats, truth values, arrays that may be written to, and NamedTuples of
    these.  They are read as the NamedTuple's own: ``record.field``.

    Parameters
    ----------
    fields : NamedTuple
        Kept alive, and its arrays with it.
    """

    def __init__(self, fields: Any) -> None:
        self.fields = fields
        words = list(_words(fields))
        form = "".join("d" if type(word) is float else "q" for word in words)
        self._words = ctypes.create_string_buffer(struct.pack(form, *words))
        self.address = ctypes.addressof(self._words)
        self._numba_type_ = _struct_type(_kind(fields))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fields, name)


def _struct_type(kind: _TupleKind) -> KernelStructType:
    """Return numba's type of a record, always the same one."""
    if kind not in _types:
        _types[kind] = KernelStructType(kind)
    return _types[kind]


def _kind(value: Any) -> Any:
    """Return what a field is: all that kernels' code depends on, cheap to compare."""
    if isinstance(value, np.ndarray):
        return _ArrayKind(value.dtype, value.ndim, "C" if value.flags.c_contiguous else "A")
    if isinstance(value, tuple):
        return _TupleKind(type(value), tuple(map(_kind, value)))
    return type(_number(value))


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _words(value: Any) -> Iterator[int | float]:
    """Yield a field's words: an array's are its address, its shape and its strides."""
    if isinstance(value, np.ndarray):
        yield value.ctypes.data
        yield from value.shape
        yield from value.strides
    elif isinstance(value, tuple):
        for field in value:
            yield from _words(field)
    else:
        yield _number(value)


class KernelStructType(types.Type):  # type: ignore[misc]
    """numba's type of a record.

    Attributes
    ----------
    fields : dict of str to (type, int)
        Each field's type and the word it begins at.
    size : int
        Its words.
    """

    def __init__(self, kind: _TupleKind) -> None:
        self.fields: dict[str, tuple[Any, int]] = {}
        self.size = 0
        for name, one in zip(kind.owner._fields, kind.fields, strict=True):
            found, size = _field(one)
            self.fields[name] = found, self.size
            self.size += size
        inside = ", ".join(f"{name}: {found}" for name, (found, _) in self.fields.items())
        super().__init__(name=f"{kind.owner.__name__}({inside})")


def _field(kind: Any) -> tuple[Any, int]:
    """Return a field's type and how many words it takes."""
    if isinstance(kind, _TupleKind):
        nested = _struct_type(kind)
        return nested, nested.size
    if isinstance(kind, _ArrayKind):
        return types.Array(from_dtype(kind.dtype), kind.ndim, kind.layout), 1 + 2 * kind.ndim
    return {bool: types.boolean, int: types.int64, float: types.float64}[kind], 1


@register_model(KernelStructType)
class _KernelStructModel(models.PrimitiveModel):  # type: ignore[misc]
    """The address of the first word."""

    def __init__(self, manager: Any, kind: KernelStructType) -> None:
        super().__init__(manager, kind, _WORD.as_pointer())


@unbox(KernelStructType)
def _unbox(kind: KernelStructType, obj: Any, c: Any) -> NativeValue:
    number = c.pyapi.object_getattr_string(obj, "address")
    address = c.pyapi.long_as_longlong(number)
    c.pyapi.decref(number)
    value = c.builder.inttoptr(address, _WORD.as_pointer())
    return NativeValue(value, is_error=c.pyapi.c_api_error())


@infer_getattr
class _KernelStructAttribute(AttributeTemplate):  # type: ignore[misc]
    key = KernelStructType

    def generic_resolve(self, record: KernelStructType, name: str) -> Any:
        """Return the type of a field; None if there is none of that name."""
        return record.fields[name][0] if name in record.fields else None


@lower_getattr_generic(KernelStructType)
def _read(context: Any, builder: Any, record: KernelStructType, value: Any, name: str) -> Any:
    kind, place = record.fields[name]
    start = builder.gep(value, [_WORD(place)])
    if isinstance(kind, KernelStructType):
        return start
    if isinstance(kind, types.Array):
        return _array(context, builder, kind, start)
    wanted = context.get_value_type(kind)
    if kind is types.boolean:
        return builder.icmp_signed("!=", _word(builder, start), _WORD(0))
    return _word(builder, builder.bitcast(start, wanted.as_pointer()))


def _word(builder: Any, pointer: Any) -> Any:
    """Load a word that never changes."""
    found = builder.load(pointer)
    found.set_metadata("invariant.load", builder.module.add_metadata([]))
    return found


def _array(context: Any, builder: Any, kind: Any, start: Any) -> Any:
    """Return an array, whose strides are known from its shape where it is contiguous."""
    data, *numbers = (
        _word(builder, builder.gep(start, [_WORD(k)])) for k in range(1 + 2 * kind.ndim)
    )
    itemsize = kind.dtype.bitwidth // 8
    shape, strides = numbers[: kind.ndim], numbers[kind.ndim :]
    if kind.layout == "C":
        strides = [_WORD(itemsize)]
        for length in reversed(shape[1:]):
            strides.insert(0, builder.mul(strides[0], length))
    size = _WORD(1)
    for length in shape:
        size = builder.mul(size, length)
    model = context.data_model_manager[kind]
    fields = {
        "nitems": size,
        "itemsize": _WORD(itemsize),
        "data": builder.inttoptr(data, context.get_data_type(kind.dtype).as_pointer()),
        "shape": cgutils.pack_array(builder, shape),
        "strides": cgutils.pack_array(builder, strides),
    }
    array = cgutils.get_null_value(context.get_value_type(kind))
    for name, value in fields.items():
        array = builder.insert_value(array, value, model.get_field_position(name))
    return array
