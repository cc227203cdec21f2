"""The network as a safetensors file: named tensors that many languages read."""

from __future__ import annotations

import os

import numpy as np

from batchprop import validation
from batchprop.export.optional_package import optional_package
from batchprop.files import atomic_file
from batchprop.parameters import Blocks
from batchprop.version import __version__


def write(path: str | os.PathLike[str], blocks: Blocks, activation: str) -> None:
    """Write the four blocks, with the activation and the version as metadata, atomically.

    Parameters
    ----------
    path : str or path-like
        The file's name, used as it is; an existing file is replaced.
    blocks : Blocks
        Parameters, in the network's dtype.
    activation : str
        Name of the activation.
    """
    path = validation.file_path("path", path)
    safetensors = optional_package(
        "safetensors.numpy", "network.to_safetensors", "batchprop[safetensors]"
    )
    tensors = {name: np.ascontiguousarray(block) for name, block in blocks._asdict().items()}
    metadata = {"producer": "batchprop", "version": __version__, "activation": activation}
    atomic_file.write_bytes(path, safetensors.save(tensors, metadata=metadata))
