"""Files that were made to do harm: changes of every kind to those that the package writes.

A file is taken apart into the arrays of its members, changed at one or two places of one kind, and
put together again.  The same seed makes the same files.
"""

from __future__ import annotations

import copy
import functools
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

N_ZEROS = 1 << 25  # of 8 bytes: 256 MiB
FLOATS = [
    np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, 1e-320, 1e308, -1e308, 1e154,
    1e-20,
]  # fmt: skip
INTEGERS = [
    -1, 0, 1, 2, 3, 4, 5, 6, 21, 30, 31, 79, 80, 81, 2**31, -(2**31), 2**40, 10**9, 2**62,
    2**63 - 1, -(2**63),
]  # fmt: skip
VALUES = [
    None, True, False, 0, -1, 1, 3, 1.5, -1.5, 1e-300, 1e300, 10**8, 2**31, 2**63, 10**30, 10**400,
    "", "a", "auto", "tanh", "lm", "lbfgs", "adam", "float32", "running", "non_finite",
    "interrupted", "x" * 5000, [], {}, [1], [0.0, 0.0], [-1, 2], [12000, 10000, 1], [2, 3, 1],
    {"a": 1}, [[[]]],
]  # fmt: skip
DTYPES = [
    "f2", "f4", "f8", ">f8", ">i8", "g", "i1", "i4", "i8", "u8", "?", "c16", "U8", "S8", "M8[s]",
    "V8", "O", "f8,f8",
]  # fmt: skip
HEADERS = [
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000000, 1000000000000), }",
    "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<U99999999', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<U999999999', 'fortran_order': False, 'shape': (999999,), }",
    "{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1L,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1, " * 70 + "), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': " + "(" * 300 + ")" * 300 + ", }",
    "__import__('os').abort()",
    "",
]


class File(NamedTuple):
    """One that the package has written, taken apart."""

    arrays: dict[str, Any]
    content: bytes


def taken_apart(content: bytes) -> File:
    with np.load(io.BytesIO(content)) as archive:
        return File(dict(archive), content)


def mutants(file: File, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield what was done, and the changed file."""
    rng = np.random.default_rng(seed)
    has_header = "header" in file.arrays
    kinds = [change for change in CHANGES if has_header or change not in OF_HEADERS]
    shares = np.array([CHANGES[change] for change in kinds], float)
    for change in rng.choice(np.array(kinds, object), count, p=shares / shares.sum()):
        yield change.__name__, change(file, rng)


def npy(array: Any) -> bytes:
    """Return what stands for an array in an archive."""
    made = io.BytesIO()
    np.lib.format.write_array(made, np.asanyarray(array), allow_pickle=True)
    return made.getvalue()


def archive(members: list[tuple[str, bytes]], packed: bool = False) -> bytes:
    made, method = io.BytesIO(), zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(made, "w") as target:
        for name, content in members:
            target.NameToInfo.pop(name, None)  # two of a name, without a warning
            entry = zipfile.ZipInfo(name)  # of no date: the same bytes each time
            target.writestr(entry, content, method)
    return made.getvalue()


def members_of(arrays: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [(f"{name}.npy", npy(array)) for name, array in arrays.items()]


def together(arrays: dict[str, Any]) -> bytes:
    return archive(members_of(arrays))


def one_of(choices: Any, rng: Any) -> Any:
    choices = list(choices)
    return choices[rng.integers(len(choices))]


def numbers(file: File) -> list[str]:
    return [name for name, array in file.arrays.items() if array.dtype.kind in "fi" and array.size]


def values(file: File, rng: Any) -> bytes:
    """Put extremes into an array or two."""
    arrays = dict(file.arrays)
    for _ in range(rng.integers(1, 3)):
        name = one_of(numbers(file), rng)
        arrays[name] = changed_values(arrays[name], rng)
    return together(arrays)


def changed_values(array: Any, rng: Any) -> Any:
    """Return an array with some entries, or all of them, of one extreme value."""
    array = np.array(array)
    with np.errstate(over="ignore"):
        extreme = one_of(FLOATS if array.dtype.kind == "f" else INTEGERS, rng)
        places = slice(None) if rng.random() < 0.2 else rng.integers(array.size, size=1)
        array.reshape(-1)[places] = extreme
    return array


def counts(file: File, rng: Any) -> bytes:
    """Put extremes into what is counted, what compiled code takes indices from."""
    names = [name for name, array in file.arrays.items() if array.dtype.kind == "i" and array.ndim]
    name = one_of(names or numbers(file), rng)
    return together(file.arrays | {name: changed_values(file.arrays[name], rng)})


def memories(file: File, rng: Any) -> bytes:
    """Put extremes into the few numbers that a solver steers by."""
    names = [name for name in numbers(file) if is_steering(name, file.arrays[name])]
    name = one_of(names or numbers(file), rng)
    return together(file.arrays | {name: changed_values(file.arrays[name], rng)})


def is_steering(name: str, array: Any) -> bool:
    return name.startswith("state.memory.") and array.size < 20


def dtypes(file: File, rng: Any) -> bytes:
    name, dtype = one_of(file.arrays, rng), one_of(DTYPES, rng)
    with np.errstate(all="ignore"):
        try:
            array = file.arrays[name].astype(dtype)
        except (TypeError, ValueError):
            array = np.zeros(file.arrays[name].shape, dtype)
    return together(file.arrays | {name: array})


def shapes(file: File, rng: Any) -> bytes:
    name = one_of(file.arrays, rng)
    array = file.arrays[name]
    others = [
        array[None], array.reshape(-1), array.ravel()[:-1], np.concatenate([array.ravel()] * 2),
        np.zeros((0,) * array.ndim, array.dtype), np.asfortranarray(np.stack([array, array])).T,
        np.zeros((1,) * 40, "i1"),
    ]  # fmt: skip
    return together(file.arrays | {name: one_of(others, rng)})


def npy_headers(file: File, rng: Any) -> bytes:
    """Let a member say something else about its array than it holds."""
    members = members_of(file.arrays)
    place = rng.integers(len(members))
    name, content = members[place]
    length = struct.unpack("<H", content[8:10])[0]
    data, version = content[10 + length :], int(rng.choice([0, 1, 1, 1, 2, 3, 4, 255]))
    header = one_of(HEADERS, rng).encode() + b" " * int(rng.choice([0, 10, 5000])) + b"\n"
    if rng.random() < 0.3:
        header = content[10 : 10 + length]
    size = struct.pack("<H" if version == 1 else "<I", int(one_of([len(header), 65535], rng)))
    members[place] = name, b"\x93NUMPY" + bytes([version, 0]) + size + header + data
    return archive(members)


def texts(file: File, rng: Any) -> bytes:
    names = [name for name, array in file.arrays.items() if array.dtype.kind == "U"]
    points = np.array([*map(ord, "tanh")], "u4")
    points[rng.integers(4)] = one_of([0x110000, 0xD800, 0xFFFFFFFF, 0], rng)
    wrong = points.view("U4").reshape(())
    long = np.array("relu" * 10_000)
    return together(file.arrays | {one_of(names, rng): one_of([wrong, long, np.array("")], rng)})


def zips(file: File, rng: Any) -> bytes:
    """Change what the archive is made of."""
    members, place = members_of(file.arrays), rng.integers(len(file.arrays))
    match rng.integers(7):
        case 0:
            return archive(members, packed=True)
        case 1:
            return archive([*members, members[place]])
        case 2:
            return archive(members[:place] + members[place + 1 :])
        case 3:
            return archive(
                [*members, (one_of(["more.npy", "../up", "\\", "ü.npy", "a/"], rng), b"1")]
            )
        case 4:
            other = rng.integers(len(members))
            names = [members[other][0], members[place][0]]
            members[place], members[other] = (
                (names[0], members[place][1]), (names[1], members[other][1]),
            )  # fmt: skip
            return archive(members)
        case 5:
            return archive([*members, *((f"{k}.npy", b"") for k in range(3000))])
    content = bytearray(archive(members))
    entry = content.rindex(b"PK\x01\x02")  # the last entry of the table of contents
    at, value = one_of([8, 10, 16, 20, 24, 28, 42], rng), one_of(INTEGERS, rng)
    content[entry + at : entry + at + 2] = struct.pack("<H", value & 0xFFFF)
    return bytes(content)


def bombs(file: File, rng: Any) -> bytes:
    """Let a member, which somebody needs or nobody, be a lot of nothing in a few bytes."""
    name, (packed, size, checksum) = f"{one_of([*file.arrays, 'more'], rng)}.npy", _nothing()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for each, content in members_of(file.arrays):
            if each != name:
                target.writestr(zipfile.ZipInfo(each), content)
        entry = zipfile.ZipInfo(name)
        target.writestr(entry, packed)  # the table of contents, written at the end, tells more
        entry.compress_type, entry.file_size, entry.CRC = zipfile.ZIP_DEFLATED, size, checksum
    return made.getvalue()


@functools.cache
def _nothing() -> tuple[bytes, int, int]:
    """Return zeros as a member of an archive, packed; its size, and its checksum."""
    start, zeros = (
        npy(np.zeros(0)).replace(b"(0,), }       ", b"(%d,), }" % N_ZEROS),
        bytes(1 << 20),
    )
    packer, checksum = zlib.compressobj(1, zlib.DEFLATED, -15), zlib.crc32(start)
    parts = [packer.compress(start)]
    for _ in range(8 * N_ZEROS >> 20):
        parts.append(packer.compress(zeros))
        checksum = zlib.crc32(zeros, checksum)
    return b"".join([*parts, packer.flush()]), len(start) + 8 * N_ZEROS, checksum


def some_bytes(file: File, rng: Any) -> bytes:
    content = bytearray(file.content)
    match rng.integers(4):
        case 0:
            for place in rng.integers(len(content), size=rng.integers(1, 5)):
                content[place] = rng.integers(256)
        case 1:
            del content[rng.integers(len(content)) :]
        case 2:
            place = rng.integers(len(content))
            del content[place : place + rng.integers(1, 50)]
        case _:
            place = rng.integers(max(1, len(content) - 2000), len(content))  # near its end
            content[place] = rng.integers(256)
    return bytes(content)


def header_fields(file: File, rng: Any) -> bytes:
    """Change, remove or add one or two parts of the header, at any depth."""
    header = json.loads(str(file.arrays["header"]))
    for _ in range(rng.integers(1, 3)):
        places = list(_places(header))
        if not places:
            break
        at, key = one_of(places, rng)
        if rng.random() < 0.15:
            del at[key]
        else:
            at[key] = copy.deepcopy(one_of(VALUES, rng))
    return together(file.arrays | {"header": np.array(json.dumps(header))})


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


def header_texts(file: File, rng: Any) -> bytes:
    text = str(file.arrays["header"])
    others = [
        text.replace("0.9", "NaN"), text.replace("0.9", "1e999"), text.replace("0.9", "-Infinity"),
        text[:-1] + ', "shape": [2, 3, 1]}', "[" * 100_000, "[" * 900 + "]" * 900, text * 2,
        text[:-1], '{"a":' * 5000, "9" * 5000, "null", "[]", '"text"', text.replace("[", "{"),
        text + " " * 300_000, text.replace("true", "1"), text.replace(": ", ": -"),
    ]  # fmt: skip
    return together(file.arrays | {"header": np.array(one_of(others, rng))})


Change = Callable[[File, Any], bytes]
# Share of each kind.
CHANGES: dict[Change, float] = {
    values: 5, counts: 3, memories: 4, header_fields: 5, header_texts: 1, dtypes: 2, shapes: 2,
    npy_headers: 2, texts: 1, zips: 2, bombs: 0.3, some_bytes: 3,
}  # fmt: skip
OF_HEADERS = (header_fields, header_texts)
