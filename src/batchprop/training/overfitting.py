"""Warnings about networks that have learnt noise.

Two things tell: validation data, and the noise that ``alpha="evidence"`` has estimated.

- R² on the training data is much higher than on the validation data.
- The training error of an output is a small part of its noise.  A good fit is below the noise, too,
  by the factor √(1 − γ/Σw), and the estimate is that of a small network, so that only a training
  error far below it is a sign.  Little noise is estimated too badly to tell.

The thresholds were measured on the tables of ``benchmarks/defaults`` (
https://batchprop.readthedocs.io/en/latest/penalty.html).
"""

from __future__ import annotations

import warnings

from batchprop.solvers.stopping import PATIENCE, REASONS
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.vocabulary import Words

GAP = 0.2  # of R² between training and validation data
MIN_SAMPLES = 20  # of the validation data; the R² of fewer tells little
BELOW_NOISE = 0.25  # training error as a share of the noise
MIN_NOISE = 0.25  # noise as a share of the target's standard deviation


def warn(spec: RunSpecification, result: TrainResult, words: Words, stacklevel: int) -> None:
    """Warn if a network has probably learnt noise, and say what to do.

    ``stacklevel`` is what the caller of this function would pass to ``warnings.warn``.
    """
    if not result.training_errors.are_known:
        return
    if result.validation_errors is not None:
        text = _by_validation(spec, result, words)
    else:
        text = _by_noise(result, words)
    if text:
        warnings.warn(text, UserWarning, stacklevel=stacklevel + 1)


def _by_validation(spec: RunSpecification, result: TrainResult, words: Words) -> str:
    """Return the warning about R² on the training data; an empty string if it is no surprise."""
    validation, n_samples = result.validation_errors, spec.dataset.n_validation_samples
    assert validation is not None
    if result.stop_reason == REASONS[PATIENCE] or n_samples < MIN_SAMPLES:
        return ""
    gap = result.r2 - max(validation.r2, 0.0)  # below 0 the mean of T predicts better
    if not validation.are_known or gap <= GAP:
        return ""
    text = (
        f"R² is {result.r2:.3g} on the training data and {validation.r2:.3g} on the validation "
        f"data: the network has learnt what does not help to predict. "
    )
    if result.alpha_report is None:
        return f'{text}Use alpha="evidence", which chooses a penalty, or fewer hidden units.'
    return f"{text}Use fewer hidden units, fewer columns of {words.name('X')}, or more samples."


def _by_noise(result: TrainResult, words: Words) -> str:
    """Return the warning about errors far below the noise; an empty string if there are none."""
    report, errors = result.alpha_report, result.training_errors
    if report is None:
        return ""
    far_below = [
        o
        for o, noise_std in enumerate(report.noise_std)
        if noise_std > MIN_NOISE * errors.target_std[o] and errors.rmse[o] < BELOW_NOISE * noise_std
    ]
    if not far_below:
        return ""
    o = far_below[0]
    return (
        f"The training error is far below the estimated noise of {words.lines('T', far_below)}: "
        f"RMSE {errors.rmse[o]:.3g}, noise {report.noise_std[o]:.3g}. Errors on new samples are "
        f'probably much larger. Use alpha="cv", or fewer hidden units.'
    )
