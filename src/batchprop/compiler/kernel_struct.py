"""Structs for kernels: the fields of a NamedTuple in one block of memory.

A kernel needs dozens of arrays and sizes.  As separate arguments they would be unpacked at each
call and passed on to each part of the kernel, which would be most of the code to compile.  Here
the caller stores the fields once as 64-bit words, and kernels read ``struct.field`` where they
need it.  The words of a struct never change, so that LLVM may move the loads; the contents of its
arrays may change.
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
_types: dict[_StructDescription, KernelStructType] = {}


class _ArrayDescription(NamedTuple):
    dtype: np.dtype[Any]
    ndim: int
    layout: str


class _StructDescription(NamedTuple):
    named_tuple_type: Any
    fields: tuple[Any, ...]


class KernelStruct:
    """A NamedTuple that can be passed to kernels.

    Fields are integers, floats, booleans, writable arrays, and NamedTuples of these.  Kernels
    read them as ``struct.field``, like Python code.

    Parameters
    ----------
    fields : NamedTuple
        The struct keeps a reference, and so keeps its arrays alive.
    """

    def __init__(self, fields: Any) -> None:
        self.fields = fields
        words = list(_words(fields))
        format_codes = "".join("d" if type(word) is float else "q" for word in words)
        self._words = ctypes.create_string_buffer(struct.pack(format_codes, *words))
        self.address = ctypes.addressof(self._words)
        self._numba_type_ = _struct_type(_description(fields))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fields, name)


def _struct_type(description: _StructDescription) -> KernelStructType:
    """Return the numba type of a struct; the same object for equal fields."""
    if description not in _types:
        _types[description] = KernelStructType(description)
    return _types[description]


def _description(value: Any) -> Any:
    """Return a description of a field that is cheap to compare: all that compiled code needs."""
    if isinstance(value, np.ndarray):
        return _ArrayDescription(value.dtype, value.ndim, "C" if value.flags.c_contiguous else "A")
    if isinstance(value, tuple):
        return _StructDescription(type(value), tuple(map(_description, value)))
    return type(_number(value))


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _words(value: Any) -> Iterator[int | float]:
    """Yield the words of a field; of an array, its address, shape and strides."""
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
    """The numba type of a struct.

    Attributes
    ----------
    fields : dict of str to (type, int)
        Each field's type and the index of its first word.
    size : int
        Number of words.
    """

    def __init__(self, description: _StructDescription) -> None:
        self.fields: dict[str, tuple[Any, int]] = {}
        self.size = 0
        for name, field_description in zip(
            description.named_tuple_type._fields, description.fields, strict=True
        ):
            numba_type, size = _field(field_description)
            self.fields[name] = numba_type, self.size
            self.size += size
        field_list = ", ".join(f"{name}: {field}" for name, (field, _) in self.fields.items())
        super().__init__(name=f"{description.named_tuple_type.__name__}({field_list})")


def _field(description: Any) -> tuple[Any, int]:
    """Return a field's numba type and its number of words."""
    if isinstance(description, _StructDescription):
        nested = _struct_type(description)
        return nested, nested.size
    if isinstance(description, _ArrayDescription):
        return types.Array(
            from_dtype(description.dtype), description.ndim, description.layout
        ), 1 + 2 * description.ndim
    return {bool: types.boolean, int: types.int64, float: types.float64}[description], 1


@register_model(KernelStructType)
class _KernelStructModel(models.PrimitiveModel):  # type: ignore[misc]
    """The LLVM representation: a pointer to the first word."""

    def __init__(self, manager: Any, numba_type: KernelStructType) -> None:
        super().__init__(manager, numba_type, _WORD.as_pointer())


@unbox(KernelStructType)
def _unbox(numba_type: KernelStructType, obj: Any, c: Any) -> NativeValue:
    number = c.pyapi.object_getattr_string(obj, "address")
    address = c.pyapi.long_as_longlong(number)
    c.pyapi.decref(number)
    value = c.builder.inttoptr(address, _WORD.as_pointer())
    return NativeValue(value, is_error=c.pyapi.c_api_error())


@infer_getattr
class _KernelStructAttribute(AttributeTemplate):  # type: ignore[misc]
    key = KernelStructType

    def generic_resolve(self, struct_type: KernelStructType, name: str) -> Any:
        """Return the type of a field, or None if there is no such field."""
        return struct_type.fields[name][0] if name in struct_type.fields else None


@lower_getattr_generic(KernelStructType)
def _read(context: Any, builder: Any, struct_type: KernelStructType, value: Any, name: str) -> Any:
    field_type, offset = struct_type.fields[name]
    start = builder.gep(value, [_WORD(offset)])
    if isinstance(field_type, KernelStructType):
        return start
    if isinstance(field_type, types.Array):
        return _array(context, builder, field_type, start)
    value_type = context.get_value_type(field_type)
    if field_type is types.boolean:
        return builder.icmp_signed("!=", _word(builder, start), _WORD(0))
    return _word(builder, builder.bitcast(start, value_type.as_pointer()))


def _word(builder: Any, pointer: Any) -> Any:
    """Load a word, and tell LLVM that it never changes."""
    word = builder.load(pointer)
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


def _array(context: Any, builder: Any, array_type: Any, start: Any) -> Any:
    """Return an array; the strides of a C-contiguous array are computed from its shape."""
    data, *sizes = (
        _word(builder, builder.gep(start, [_WORD(k)])) for k in range(1 + 2 * array_type.ndim)
    )
    itemsize = array_type.dtype.bitwidth // 8
    shape, strides = sizes[: array_type.ndim], sizes[array_type.ndim :]
    if array_type.layout == "C":
        strides = [_WORD(itemsize)]
        for length in reversed(shape[1:]):
            strides.insert(0, builder.mul(strides[0], length))
    size = _WORD(1)
    for length in shape:
        size = builder.mul(size, length)
    model = context.data_model_manager[array_type]
    fields = {
        "nitems": size,
        "itemsize": _WORD(itemsize),
        "data": builder.inttoptr(data, context.get_data_type(array_type.dtype).as_pointer()),
        "shape": cgutils.pack_array(builder, shape),
        "strides": cgutils.pack_array(builder, strides),
    }
    array = cgutils.get_null_value(context.get_value_type(array_type))
    for name, value in fields.items():
        array = builder.insert_value(array, value, model.get_field_position(name))
    return array
