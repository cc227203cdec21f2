"""The file of a cache: blocks as plain numbers, one after the other, and a table of contents.

The contents are at the end: a text in JSON, its length in eight bytes, and eight bytes that say
what the file is.  X, T and the weights of a block begin at multiples of 64 bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.blocks.file_window import StoredArray, window
from batchprop.blocks.origin import Origin
from batchprop.blocks.source import Layout, RawBlock
from batchprop.engines.samples import Samples
from batchprop.files.atomic_file import write_with
from batchprop.validation.error_text import message

Array = npt.NDArray[Any]

_DTYPES = (np.dtype("f4"), np.dtype("f8"))
_MAGIC = b"bpblock1"
_ALIGNMENT = 64
_LENGTH = 8  # bytes of the length of the contents
_MAX_CONTENTS = 1 << 30  # bytes


class Contents(NamedTuple):
    """What is in a cache.

    Attributes
    ----------
    origin : Origin
        What it is a copy of.
    layout : Layout
        Of all blocks.
    offsets, sizes : list of int
        Where each block begins, in bytes, and its number of samples.
    """

    origin: Origin
    layout: Layout
    offsets: list[int]
    sizes: list[int]


def write(path: Path, origin: Origin, blocks: Iterable[Samples]) -> None:
    """Write a cache atomically.

    Parameters
    ----------
    path : Path
        Its file.
    origin : Origin
        What the blocks are a copy of.
    blocks : iterable of Samples
        Checked blocks.

    Raises
    ------
    ValueError
        No block has samples.
    OSError
        The disk is full, or the folder cannot be written.
    """

    def write_blocks(file: IO[bytes]) -> None:
        offsets: list[int] = []
        sizes: list[int] = []
        first: Samples | None = None
        for samples in blocks:
            n_samples = samples.X.shape[1]
            offsets.append(file.tell())
            sizes.append(n_samples)
            if n_samples == 0:
                continue
            first = first or samples._replace(X=samples.X[:, :0], T=samples.T[:, :0])
            for array in samples[:3]:
                if array is not None:
                    file.write(np.ascontiguousarray(array).data)
                    file.write(bytes(-file.tell() % _ALIGNMENT))
        if first is None:
            remedy = "Check how the samples were selected."
            raise ValueError(message("blocks", "have at least one sample", "none", remedy))
        layout = {
            "n_inputs": first.X.shape[0],
            "n_outputs": first.T.shape[0],
            "has_weights": first.sample_weight is not None,
            "x_dtype": first.X.dtype.str,
            "t_dtype": first.T.dtype.str,
        }
        contents = {"origin": origin._asdict(), "layout": layout}
        text = json.dumps({**contents, "offsets": offsets, "sizes": sizes}).encode()
        file.write(text + len(text).to_bytes(_LENGTH, "little") + _MAGIC)

    write_with(path, write_blocks)


def read_contents(path: Path) -> Contents | None:
    """Return what is in a cache; None if the file is not there, or is not a cache."""
    try:
        with open(path, "rb") as file:
            end = file.seek(-_LENGTH - len(_MAGIC), 2)
            length = int.from_bytes(file.read(_LENGTH), "little")
            if file.read() != _MAGIC or not 0 < length <= min(end, _MAX_CONTENTS):
                return None
            file.seek(end - length)
            contents = json.loads(file.read(length))
        layout = contents["layout"]
        dtypes = [np.dtype(layout.pop(name)) for name in ("x_dtype", "t_dtype")]
        read = Contents(
            Origin(**contents["origin"]),
            Layout(**layout, x_dtype=dtypes[0], t_dtype=dtypes[1]),
            list(contents["offsets"]),
            list(contents["sizes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return read if _is_usable(read) else None


def _is_usable(contents: Contents) -> bool:
    """Return whether all numbers of a table of contents can be what they should be."""
    _, (e, s, has_weights, x_dtype, t_dtype), offsets, sizes = contents
    return (
        len(offsets) == len(sizes)
        and all(map(_is_count, (e, s, *offsets, *sizes)))
        and has_weights in (False, True)
        and x_dtype in _DTYPES
        and t_dtype in _DTYPES
    )


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def read_block(path: Path, contents: Contents, index: int) -> RawBlock:
    """Map a block of a cache into memory."""
    e, s, has_weights, x_dtype, t_dtype = contents.layout
    n_samples, offset = contents.sizes[index], contents.offsets[index]
    shapes = [((e, n_samples), x_dtype), ((s, n_samples), t_dtype)]
    if has_weights:
        shapes.append(((1, n_samples), np.dtype("f8")))
    starts, stop = [], 0
    for (n_rows, _), dtype in shapes:
        starts.append(stop)
        stop += n_rows * n_samples * dtype.itemsize
        stop += -stop % _ALIGNMENT
    stored = StoredArray(path, offset, (1, stop), (stop, 1), np.dtype("u1"))
    memory = window(stored)
    arrays = [
        np.ndarray(shape, dtype, memory, start)
        for (shape, dtype), start in zip(shapes, starts, strict=True)
    ]
    return RawBlock(arrays[0], arrays[1], arrays[2][0] if has_weights else None)
