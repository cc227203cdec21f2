"""What is compared: calls of ``batchprop.train``, and models of other libraries at their defaults.

A call of ours is named by its options, as "batchprop n_init=5 combine=mean"; the bare one is
"batchprop".  The other models are built as the benchmark of default calls builds them, X and y
scaled where their guide says so.  Everything runs on one thread.
"""

from __future__ import annotations

import importlib.util
import json
import time
import warnings
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm
from threadpoolctl import threadpool_limits

import batchprop
from batchprop.training.options import TrainOptions
from benchmarks.data import Array
from benchmarks.defaults import models

OURS = "batchprop"
AVERAGED = f"{OURS} n_init=5 combine=mean"
UNCERTAIN = "uncertainty=laplace"
CROSS_VALIDATED = f"{OURS} alpha=cv"
CALLS = (OURS, AVERAGED, f"{OURS} {UNCERTAIN}", f"{AVERAGED} {UNCERTAIN}", CROSS_VALIDATED)
OTHERS = ("catboost", "hgb", "gp-matern", "mlp-scaled")
MAX_SPLITS = {CROSS_VALIDATED: 3}  # it only shows what the cheaper choice saves
GP_ROWS = 1000  # training rows of the largest table that a Gaussian process is fitted to

LEVEL = 0.9
NORMAL = "normal"  # intervals of a normal distribution
METHODS = {"laplace": NORMAL, "conformal": "conformal", "conformal-normalised": "normalised"}


class Samples(NamedTuple):
    """Training rows, and the test inputs; X (N, e), y (N,)."""

    X: Array
    y: Array
    X_test: Array
    hidden_size: int


class Prediction(NamedTuple):
    """What a model predicts for the test rows, and the CPU seconds of its fit.

    Arrays have shape (N,).  ``std`` is None if the model predicts none.  ``intervals`` holds lower
    and upper ends by method.  ``fit_seconds`` are those of training without choosing a penalty.
    """

    mean: Array
    std: Array | None
    intervals: dict[str, tuple[Array, Array]]
    seconds: float
    fit_seconds: float | None = None
    stopped: str = ""


def options_of(name: str) -> dict[str, Any]:
    """Return the options in the name of a call of ours; exit with a message if there are others."""
    options = {}
    for part in name.removeprefix(OURS).split():
        option, sign, value = part.partition("=")
        if not sign or option not in TrainOptions.__dataclass_fields__:
            raise SystemExit(
                f"A call must be NAME=JSON pairs separated by spaces, with names of parameters of "
                f"batchprop.train, got {part!r}. Example: --calls 'alpha=cv n_init=3'"
            )
        try:
            options[option] = json.loads(value)
        except json.JSONDecodeError:
            options[option] = value
    return options


def is_ours(name: str) -> bool:
    return name not in models.OTHERS


def is_installed(name: str) -> bool:
    """Tell whether a model's package is there; our own always is."""
    return is_ours(name) or importlib.util.find_spec(models.OTHERS[name].package) is not None


def max_rows(name: str) -> int | None:
    """Return the number of training rows above which a model is not fitted."""
    return GP_ROWS if not is_ours(name) and models.OTHERS[name].max_rows is not None else None


def title_of(name: str) -> str:
    """Return the name of a call as the report prints it."""
    if not is_ours(name):
        return models.title_of(name)
    options = name.removeprefix(OURS).strip()
    return f"**{OURS}**" + (f" `{options}`" if options else "")


def predicted(name: str, samples: Samples, seed: int) -> Prediction:
    """Fit on one thread and predict; ``seed`` is for the other libraries' models."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant columns, iterations: the score tells
        return _ours(name, samples) if is_ours(name) else _other(name, samples, seed)


def _ours(name: str, samples: Samples) -> Prediction:
    options = {"hidden_size": samples.hidden_size} | options_of(name) | {"n_threads": 1}

    def trained(**replaced: Any) -> tuple[batchprop.TrainResult, float]:
        began = time.process_time()
        result = batchprop.train(samples.X.T, samples.y[np.newaxis], **options | replaced)
        return result, time.process_time() - began

    result, seconds = trained()
    fit_seconds, std, intervals = None, None, {}
    mean = result.network.predict(samples.X_test.T)[0]
    if options.get("uncertainty") is not None:
        mean, std = (Y[0] for Y in result.predictive.predict(samples.X_test.T, return_std=True))
        for method in METHODS:
            ends = result.predictive.interval(samples.X_test.T, level=LEVEL, method=method)
            intervals[METHODS[method]] = (ends[0][0], ends[1][0])
    elif result.alpha_report is not None and len(result.starts or ()) < 2:
        _, fit_seconds = trained(alpha=result.alpha)
    return Prediction(mean, std, intervals, seconds, fit_seconds, result.stop_reason)


def _other(name: str, samples: Samples, seed: int) -> Prediction:
    model = models.build(name, samples.X.shape[1], 1, seed)
    began = time.process_time()
    with np.errstate(all="ignore"):
        model.fit(samples.X, samples.y)
        seconds = time.process_time() - began
        if name not in ("gp", "gp-matern"):
            return Prediction(np.asarray(model.predict(samples.X_test)), None, {}, seconds)
        mean, std = model.predict(samples.X_test, return_std=True)
    half = norm.ppf(0.5 + LEVEL / 2) * std
    return Prediction(mean, std, {NORMAL: (mean - half, mean + half)}, seconds)
