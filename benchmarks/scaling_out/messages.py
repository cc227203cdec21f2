"""The message that brings a worker's nodes to the driver, as Dask sends it over TCP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from distributed.protocol import dumps, loads, to_serialize
from distributed.protocol.utils import pack_frames, unpack_frames

from batchprop.segments import Node

Array = npt.NDArray[np.float64]
KEY = ("batchprop-gradient-00000000000000", 0)  # of the task, as long as the real ones


def packed(nodes: Sequence[Node[Array]]) -> memoryview:
    """Return the bytes that a worker sends."""
    answer = {"status": "OK", "data": {KEY: to_serialize(list(nodes))}}
    return memoryview(bytearray(pack_frames(dumps(answer))))


def unpacked(message: memoryview) -> list[Node[Array]]:
    """Return the nodes in a message; their arrays may be views of its bytes."""
    answer: dict[str, Any] = loads(unpack_frames(message))
    return list(answer["data"][KEY])
