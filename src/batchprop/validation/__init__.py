"""Checks of public arguments, made once and before any work.

All messages have one form: what was expected, what was passed, what to do.

- ``values``: single values; ``arrays``: what holds for every array; ``conversion``: tables that are
  not real numbers.
- ``samples``: the data; ``orientation``: tables that seem to be transposed.
- ``networks``: a network and its parameters; ``memory_demand``: sizes that do not fit into memory.
- ``paths``: file names; ``error_text``: the form of the messages.

Imports parameters, activations and machine.
"""

from __future__ import annotations

from batchprop.validation.arrays import finite, in_range, real_array
from batchprop.validation.networks import network, parameter_blocks, shape, theta
from batchprop.validation.paths import file_name, file_path, file_type
from batchprop.validation.samples import (
    inputs,
    largest_of_unscaled_weights,
    part_of_weights,
    sample_weight,
    tables,
)
from batchprop.validation.values import (
    activation,
    answer,
    choice,
    count,
    flag,
    float_dtype,
    function,
    is_auto,
    is_penalty_method,
    mapping,
    n_threads,
    number,
    optional_count,
    optional_number,
    penalty,
    penalty_or_method,
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
    "largest_of_unscaled_weights",
    "file_type",
    "mapping",
    "n_threads",
    "network",
    "number",
    "optional_count",
    "optional_number",
    "parameter_blocks",
    "part_of_weights",
    "is_penalty_method",
    "penalty",
    "penalty_or_method",
    "real_array",
    "sample_weight",
    "seed",
    "shape",
    "tables",
    "theta",
]
