"""The message that brings a worker's nodes to the driver: as Dask sends it, or in a pickle."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.segments import Node

try:
    from distributed.protocol import dumps, loads, to_serialize
    from distributed.protocol.utils import pack_frames, unpack_frames
except ImportError:
    FORMAT = "pickle, protocol 5"
    dumps = None
else:
    FORMAT = "Dask's protocol over TCP"

Array = npt.NDArray[np.float64]
KEY = ("batchprop-gradient-00000000000000", 0)  # of the task, as long as the real ones


def packed(nodes: Sequence[Node[Array]]) -> memoryview:
    """Return the bytes that a worker sends."""
    if dumps is None:
        return memoryview(pickle.dumps(list(nodes), protocol=5))
    answer = {"status": "OK", "data": {KEY: to_serialize(list(nodes))}}
    return memoryview(bytearray(pack_frames(dumps(answer))))


def unpacked(message: memoryview) -> list[Node[Array]]:
    """Return the nodes in a message; their arrays may be views of its bytes."""
    if dumps is None:
        nodes: list[Node[Array]] = pickle.loads(message)
        return nodes
    answer: dict[str, Any] = loads(unpack_frames(message))
    return list(answer["data"][KEY])
