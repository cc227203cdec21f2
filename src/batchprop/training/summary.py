"""The summary of a training run that ``print(result)`` shows: a line for each question.

What the network predicts for new samples is said only where something tells: validation data, or
the choice of the penalty.  Otherwise the line names the remedy.  No line shows NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from batchprop.network import Network
from batchprop.training.alpha_report import AlphaReport
from batchprop.training.fit_errors import FitErrors

MAX_OUTPUTS = 3  # that a line lists
LITTLE_NOISE = 0.1  # share of a target's standard deviation below which estimates are rough
MAX_DIGITS = 9  # of R²
_PHRASES = {
    "target_loss": "the target loss was reached",
    "gradient_norm": "the gradient is close to zero",
    "stagnation": "the objective hardly falls any more",
    "line_search": "no step leads lower",
    "damping": "no step leads lower",
    "step": "no step leads lower",
    "method": "SciPy's method reports convergence",
    "max_epochs": "the limit of epochs",
    "max_evaluations": "the limit of evaluations",
    "patience": "the validation loss had no new minimum",
    "max_seconds": "the time was up",
    "callback": "the callback asked for it",
    "interrupted": "interrupted",
    "non_finite": "loss or gradient became NaN or infinite",
    "method_gave_up": "SciPy's method gave up",
}
_REMEDY = 'alpha="evidence" estimates it'


def network(trained: Network, n_averaged: int, n_starts: int) -> str:
    """Describe a network; ``n_averaged`` is how many starts it is the mean of, or 0."""
    text = f"{trained.shape}, {trained.activation}, {trained.dtype}, {trained.theta.size:,} "
    text += "parameters"
    if n_averaged:
        text += f"; the mean of {n_averaged} of {n_starts} starts"
    return text


def run(solver: str, n_epochs: int, best_epoch: int, n_starts: int, seconds: float) -> str:
    """Say which solver took how many epochs, and how long it took; 0 ``n_starts`` are one."""
    text = f"{solver}, {_counted(n_epochs, 'epoch')}"
    if best_epoch != n_epochs:
        text += f" (best: {best_epoch:,})"
    if n_starts:
        text += f" in one of {n_starts} starts"
    return f"{text}, {seconds:.3g} s in all" if n_starts else f"{text}, {seconds:.3g} s"


def stop(reason: str, converged: bool) -> str:
    """Say why a run ended."""
    return f"{reason!r}: {_PHRASES[reason]}{', converged' if converged else ', not converged'}"


def training_error(errors: FitErrors) -> str:
    """Say how large the errors on the training data are."""
    return _error_text(errors) if errors.are_known else "not known: the network was not evaluated"


def new_samples(
    report: AlphaReport | None,
    training: FitErrors,
    validation: FitErrors | None,
    n_averaged: int,
    left_out: Sequence[float] = (),
    converged: bool = True,
) -> str:
    """Say how large errors on new samples are likely to be, and what tells.

    Parameters
    ----------
    report : AlphaReport or None
        How the penalty was chosen.
    training, validation : FitErrors, and FitErrors or None
        Errors on training and validation data.
    n_averaged : int
        How many starts the network is the mean of; 0 if it is that of one run.
    left_out : sequence of float
        Errors of networks on samples that they had not seen; empty if none were trained.
    converged : bool
        Whether the run did.  What a choice estimates is for networks that are trained to the end.
    """
    if validation is not None:
        if validation.are_known:
            return f"{_error_text(validation)} (measured on the validation data)"
        return "not known: the network was not evaluated on the validation data"
    of_folds = FitErrors(tuple(left_out), training.target_std)
    if of_folds.rmse and of_folds.are_known:
        return f"{_error_text(of_folds, 'about ')} (estimated by samples left out)"
    if report is None:
        return f"not known: no validation data; {_REMEDY}"
    if report.cut_short:
        return "not known: the choice of the penalty was cut short"
    estimate = FitErrors(report.error_std, training.target_std)
    if not estimate.rmse or not estimate.are_known:
        return "not known: too few samples, or no time, to estimate it; validation data tell"
    if report.method == "evidence" and report.chosen == 0.0:
        rmse = _listed(report.error_std)
        return (
            f"not known: next to no noise (a small network has RMSE {rmse}); validation data tell"
        )
    if not converged and estimate.r2 > training.r2:
        return "not known: training was cut short"
    notes = [_source(report, training.target_std)]
    if n_averaged:
        notes.append("for a single start")
    return f"{_error_text(estimate, 'about ')} ({', '.join(notes)})"


def _source(report: AlphaReport, target_std: Sequence[float]) -> str:
    """Say what an estimate comes from."""
    if report.method != "evidence":
        return f"estimated by {_counted(report.n_folds, 'fold')}"
    ratios = zip(report.noise_std, target_std, strict=True)
    if any(0.0 < noise_std < LITTLE_NOISE * std for noise_std, std in ratios):
        return "roughly estimated by evidence"
    return "estimated by evidence"


def penalty(alpha: tuple[float, float], report: AlphaReport | None) -> str:
    """Name the penalty, and how it was chosen."""
    if max(alpha) == 0.0:
        text = "none"
    elif alpha[0] == alpha[1]:
        text = f"α = {alpha[0]:.3g}"
    else:
        text = f"α_h = {alpha[0]:.3g}, α_y = {alpha[1]:.3g}"
    if report is None:
        return text
    method = "evidence" if report.method == "evidence" else "cross-validation"
    if report.cut_short:
        return f"{text}, after {method} that was cut short"
    if not report.alphas:
        return f"{text}, the fallback of {method}: nothing could be compared"
    return f"{text}, chosen by {method}"


def effective_parameters(report: AlphaReport | None) -> str:
    """Say how many parameters the data determine, where evidence tells; else an empty text."""
    if report is None or not math.isfinite(report.n_effective):
        return ""
    return (
        f"γ = {report.n_effective:.3g} of {report.n_parameters:,} parameters, in the "
        f"{report.n_hidden}-unit network that evidence compared"
    )


def _error_text(errors: FitErrors, about: str = "") -> str:
    """Return RMSE of each output, and R²."""
    return f"RMSE {about}{_listed(errors.rmse)}; R² {about}{_fraction(errors.r2)}"


def _listed(values: Sequence[float]) -> str:
    """Return the first values as text."""
    text = ", ".join(f"{value:.4g}" for value in values[:MAX_OUTPUTS])
    n_more = len(values) - MAX_OUTPUTS
    return f"{text} and {n_more} more" if n_more > 0 else text


def _fraction(r2: float) -> str:
    """Return R² with as many digits as tell it from 1."""
    if abs(r2) >= 1000.0 or not 0.0 < r2 < 1.0:
        return f"{r2:.4g}"
    exponent = int(f"{1.0 - r2:.1e}".split("e")[1])
    return f"{r2:.{min(max(3, 1 - exponent), MAX_DIGITS)}f}"


def _counted(n: int, noun: str) -> str:
    """Return a number and a noun, in the plural if need be."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
