"""The warning about a run that diverged: it names the likely cause.

Causes are examined in this order: the validation data, the penalty, the training data and their
weights, the learning rate, and at last the parameters.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.parameters import split
from batchprop.training.dataset import Dataset
from batchprop.training.external_dataset import ExternalDataset
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.vocabulary import Words

Array = npt.NDArray[Any]

_LARGE = 30.0  # deviations that standardised columns hardly reach
_FAR = 1e6  # deviations that a sample reaches only if its weight is tiny


class _Entry(NamedTuple):
    """The entry of a table that is farthest from the mean."""

    size: float  # in standard deviations; the absolute value without scaling
    table: str
    row: int
    sample: int | None  # None where the samples are not in memory
    value: float


def warn(spec: RunSpecification, result: TrainResult, words: Words, stacklevel: int) -> None:
    """Warn of a run that diverged: what happened, which network was kept, the likely cause.

    Parameters
    ----------
    spec : RunSpecification
        The run.
    result : TrainResult
        Its result.
    words : Words
        What the user calls the tables.
    stacklevel : int
        For ``warnings.warn`` in the caller of this function, to point to the user's call.
    """
    n_evaluations = int(result.checkpoint.state.evaluations[0])
    failed = "Loss or gradient"
    if _validation_alone(result):
        failed = "The loss on the validation data"
    if n_evaluations == 0:
        happened = f"{failed} is NaN or infinite at the start: that network is returned."
    else:
        happened = (
            f"{failed} became NaN or infinite at epoch {n_evaluations}: the run stopped "
            f"at the last finite network, and the best one is returned."
        )
    cause = (
        _of_validation(spec, result, words)
        or _of_penalty(spec, result)
        or _of_data(spec, words)
        or _of_rate(spec, n_evaluations)
        or _of_parameters(spec, result)
    )
    warnings.warn(
        f"{happened} Most likely cause: {cause}.", RuntimeWarning, stacklevel=stacklevel + 1
    )


def _validation_alone(result: TrainResult) -> bool:
    """Tell whether the training loss was finite where the validation loss was not."""
    if result.at_failure is None:
        return False
    loss, validation_loss = result.at_failure
    return bool(result.validation_loss_curve.size) and (
        math.isfinite(loss) and not math.isfinite(validation_loss)
    )


def _of_validation(spec: RunSpecification, result: TrainResult, words: Words) -> str:
    """Blame an entry of the validation data that is far from the training data."""
    if not _validation_alone(result):
        return ""
    entry = _farthest(spec, ("X_val", "T_val"))
    if entry.size <= _LARGE:
        return ""
    remedy = "Correct that sample or leave it out"
    return f"the validation data: {_named(entry, words)}, far from the training data. {remedy}"


def _of_penalty(spec: RunSpecification, result: TrainResult) -> str:
    """Blame alpha where the penalty overflows, or drives weights up at this learning rate."""
    if isinstance(spec.alpha, str) or max(spec.alpha) == 0.0:
        return ""
    state, total = result.checkpoint.state, spec.dataset.total_weight
    blocks = split(state.theta, spec.initial_network.shape)
    largest = float(np.finfo(state.theta.dtype).max)
    alphas = " and ".join(f"{alpha:.3g}" for alpha in sorted(set(spec.alpha)))
    for alpha, W in zip(spec.alpha, (blocks.W_h, blocks.W_y), strict=True):
        with np.errstate(over="ignore"):
            slope = 2.0 * alpha / total * np.abs(W).astype(np.float64)
            overflows = slope.max() > largest or not np.isfinite((slope * slope).sum())
        if overflows:
            return f"alpha={alphas}, whose penalty overflows. Choose a smaller one"
    rate = getattr(spec.settings, "learning_rate", None)
    if rate is not None and spec.solver != "adam" and rate * max(spec.alpha) > total:
        return (
            f"alpha={alphas} with learning_rate={rate:.3g}: each step carries weights farther "
            f"beyond 0. Choose alpha below {total / rate:.2g}, or a smaller learning_rate"
        )
    return ""


def _of_data(spec: RunSpecification, words: Words) -> str:
    """Blame the scale of the training data, a sample of next to no weight, or the unit of T."""
    entry = _farthest(spec, ("X", "T"))
    if spec.dataset.scaling is None:
        if entry.size <= _LARGE:
            return ""
        return (
            f"the scale of the data: {_named(entry, words)}. Standardise inputs and targets, or "
            f"leave scale=True"
        )
    if not np.isfinite(spec.dataset.scaling.squared_units.sum()):
        name = words.name("T")
        return f"the unit of {name}, whose square overflows. Divide {name} by {_power(spec)}"
    if spec.dataset.is_weighted and entry.size > _FAR:
        return (
            f"a sample of small weight: {_named(entry, words)}, {entry.size:.2g} deviations from "
            f"the mean. Correct it, or give it a weight of 0"
        )
    return ""


def _of_rate(spec: RunSpecification, n_evaluations: int) -> str:
    """Blame the learning rate if a step was taken with one."""
    rate = getattr(spec.settings, "learning_rate", None)
    if rate is None or n_evaluations == 0:
        return ""
    return f"learning_rate={rate:.3g}, too large for these data. Try {rate / 10:.2g}"


def _of_parameters(spec: RunSpecification, result: TrainResult) -> str:
    """Blame the parameters."""
    largest = float(np.abs(result.checkpoint.state.theta).max())
    return (
        f"the size of the network's parameters, up to {largest:.3g} for "
        f"{'raw' if spec.dataset.scaling is None else 'standardised'} data. Start from smaller ones"
    )


def _named(entry: _Entry, words: Words) -> str:
    line = words.lines(entry.table, [entry.row])
    if entry.sample is None:
        return f"{line} reaches {abs(entry.value):.3g}"
    position = words.entry(entry.table, entry.row, entry.sample)
    return f"{line} reaches {abs(entry.value):.3g} at {position}"


def _power(spec: RunSpecification) -> str:
    """Return the power of 10 of the targets' size."""
    assert spec.dataset.scaling is not None
    return f"1e{int(np.log10(spec.dataset.scaling.t_scale.max()))}"


def _farthest(spec: RunSpecification, tables: tuple[str, ...]) -> _Entry:
    """Return the entry farthest from the training data's mean; samples of weight 0 are skipped."""
    dataset, entries = spec.dataset, []
    for name in tables:
        mean, factor = _means_and_factors(dataset, name)
        if isinstance(dataset, ExternalDataset):
            for values in dataset.extremes(name):
                sizes = np.abs(values - mean) * factor
                row = int(sizes.argmax())
                entries.append(_Entry(float(sizes[row]), name, row, None, float(values[row])))
            continue
        table: Array = getattr(dataset, name)
        weight = dataset.sample_weight_val if name.endswith("_val") else dataset.sample_weight
        for row, values in enumerate(table):
            with np.errstate(over="ignore"):
                sizes = np.abs(values.astype(np.float64) - mean[row]) * factor[row]
            if weight is not None:
                sizes[weight == 0] = 0.0
            k = int(sizes.argmax())
            entries.append(_Entry(float(sizes[k]), name, row, k, float(values[k])))
    return max(entries, key=lambda entry: entry.size)


def _means_and_factors(dataset: Dataset | ExternalDataset, table: str) -> tuple[Array, Array]:
    """Return what the rows of a table are standardised with."""
    scaling, is_inputs = dataset.scaling, table.startswith("X")
    if scaling is None:
        n = dataset.n_inputs if is_inputs else dataset.n_outputs
        return np.zeros(n), np.ones(n)
    if is_inputs:
        return scaling.x_mean, scaling.x_factor
    return scaling.t_mean, np.where(scaling.t_factor > 0, scaling.t_factor, 1.0)
