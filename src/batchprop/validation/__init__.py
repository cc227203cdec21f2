"""Every public argument is checked here, once, before any work is done.

One kind of message throughout: what was given, what was expected, what to do.  ``values`` checks
single values, ``arrays`` what holds for every array, ``samples`` the data, ``networks`` the
network and its parameters, ``paths`` names of files.
"""

from __future__ import annotations

from batchprop.validation.arrays import finite, in_range, real_array
from batchprop.validation.networks import network, parameter_blocks, shape, theta
from batchprop.validation.paths import file_name, file_path, kind_of
from batchprop.validation.samples import inputs, sample_weight, tables
from batchprop.validation.values import (
    activation,
    answer,
    choice,
    count,
    flag,
    float_dtype,
    function,
    is_auto,
    mapping,
    n_threads,
    number,
    optional_count,
    optional_number,
    penalty,
    seed,
)

__all__ = [
    "activation",
    "answer",
    "choice",
    "count",
    "file_name",
    "file_path",
    "finite",
    "flag",
    "float_dtype",
    "function",
    "in_range",
    "inputs",
    "is_auto",
    "kind_of",
    "mapping",
    "n_threads",
    "network",
    "number",
    "optional_count",
    "optional_number",
    "parameter_blocks",
    "penalty",
    "real_array",
    "sample_weight",
    "seed",
    "shape",
    "tables",
    "theta",
]
