"""Structs for kernels: the fields of a NamedTuple in one block of memory.

A kernel needs dozens of arrays and sizes.  As separate arguments they would be unpacked at each
call and passed on to each part of the kernel, which would be most of the code to compile.  Here
the caller stores the fields once as 64-bit words, and kernels read ``struct.field`` where they
need it.  No word of a struct changes while a kernel runs that reads it, so that LLVM may move the
loads; the contents of its arrays may change.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import NativeValue, models, register_model, unbox
from numba.np.numpy_support import from_dtype

_WORD = ir.IntType(64)
# type of a number -> its numba type, and the format of its word as ``struct`` has it
_FORMATS = {bool: (types.boolean, "q"), int: (types.int64, "q"), float: (types.float64, "d")}
_types: dict[_StructDescription, KernelStructType] = {}


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
        words: list[Any] = []
        self._numba_type_ = _struct_type(_flatten(fields, words))
        self._words = self._packed(words)
        self.address = _address(self._words)

    def replace(self, fields: Any) -> None:
        """Give the fields other values of the same types.

        No kernel that reads a changed field may be running, except one that reads it by a call
        of another kernel: each call loads the words anew.  Words that stay the same are not
        written, not even for a moment: threads that wait for work read them at any time.
        """
        words: list[Any] = []
        if _struct_type(_flatten(fields, words)) is not self._numba_type_:
            raise TypeError("the fields must have the types of those they replace")
        packed = self._packed(words)
        for changed in np.flatnonzero(packed != self._words):
            self._words[changed] = packed[changed]
        self.fields = fields

    def _packed(self, words: list[Any]) -> npt.NDArray[np.int64]:
        """Return words as they are in memory."""
        packed = struct.pack(self._numba_type_.format_codes, *words)
        return np.frombuffer(bytearray(packed), np.int64)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fields, name)


def _struct_type(description: _StructDescription) -> KernelStructType:
    """Return the numba type of a struct; the same object for equal fields."""
    if description not in _types:
        _types[description] = KernelStructType(description)
    return _types[description]


def _address(array: Any) -> int:
    """Return the address of an array's first number: ``array.ctypes.data``, six times as fast."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))
    except (TypeError, ValueError, BufferError):  # empty, read-only, or not C-contiguous
        return int(array.ctypes.data)


def _flatten(fields: Any, words: list[Any]) -> _StructDescription:
    """Append the words of a NamedTuple; return its description: all that compiled code needs.

    The words of an array are its address, shape and strides.
    """
    described: list[Any] = []
    for value in fields:
        field_type = type(value)
        if field_type in _FORMATS:
            words.append(value)
            described.append(field_type)
        elif isinstance(value, np.ndarray):
            words += (_address(value), *value.shape, *value.strides)
            layout = "C" if value.flags.c_contiguous else "A"
            described.append((value.dtype, value.ndim, layout))
        elif isinstance(value, tuple):
            described.append(_flatten(value, words))
        else:  # a number of NumPy's
            number = value.item()
            words.append(number)
            described.append(type(number))
    return _StructDescription(type(fields), tuple(described))


class KernelStructType(types.Type):  # type: ignore[misc]
    """The numba type of a struct.

    Attributes
    ----------
    fields : dict of str to (type, int)
        Each field's type and the index of its first word.
    size : int
        Number of words.
    format_codes : str
        The words in memory as ``struct`` has them: 64-bit integers and doubles.
    """

    def __init__(self, description: _StructDescription) -> None:
        self.fields: dict[str, tuple[Any, int]] = {}
        self.size, self.format_codes = 0, ""
        for name, field_description in zip(
            description.named_tuple_type._fields, description.fields, strict=True
        ):
            numba_type, codes = _field(field_description)
            self.fields[name] = numba_type, self.size
            self.size += len(codes)
            self.format_codes += codes
        field_list = ", ".join(f"{name}: {field}" for name, (field, _) in self.fields.items())
        super().__init__(name=f"{description.named_tuple_type.__name__}({field_list})")


def _field(description: Any) -> tuple[Any, str]:
    """Return a field's numba type, and the format of its words as ``struct`` has it."""
    if isinstance(description, _StructDescription):
        nested = _struct_type(description)
        return nested, nested.format_codes
    if isinstance(description, tuple):
        dtype, ndim, array_layout = description
        return types.Array(from_dtype(dtype), ndim, array_layout), "q" * (1 + 2 * ndim)
    return _FORMATS[description]


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
