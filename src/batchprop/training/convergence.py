"""Whether a run that came to rest has reached a minimum.

A gradient near zero, or a loss that hardly falls, is the mark of a minimum, but also of saddles and
plateaus.  Two cases are doubted:

- The network predicts no more than the mean of T.  It does so at weights of 0, a saddle where the
  gradient vanishes, and if all units are dead.
- Steps along the gradient have become small while most of the variance of T is left.  They cannot
  tell a plateau from a minimum unless the gradient itself is close to zero.
"""

from __future__ import annotations

import warnings

import numpy as np

from batchprop.solvers.first_order.first_order_memory import FirstOrderSettings
from batchprop.solvers.settings import FIRST_ORDER
from batchprop.solvers.stopping import CONVERGED, REASONS, STAGNATION, TARGET_LOSS
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.vocabulary import Words

_MEAN, _PLATEAU = "mean", "plateau"
_EXPLAINED = 1e-6  # share of the variance up to which a network predicts no more than the mean
_LEFT = 0.1  # share of the variance above which steps along the gradient are doubted
_FLAT = 1e-5  # share of F: a smaller gradient is that of a minimum
_TINY = 1e-3  # a start whose weights, for standardised data, are smaller is at the saddle


def doubt(spec: RunSpecification, result: TrainResult) -> str:
    """Return why the end of a run is doubted; an empty string if it is not."""
    reason = result.stop_reason
    if reason not in CONVERGED or reason == REASONS[TARGET_LOSS]:
        return ""
    scaling = spec.dataset.scaling
    if scaling is not None and not scaling.x_factor.any():  # nothing to predict from
        return ""
    loss, mean_loss = float(result.loss_curve[-1]), _loss_of_mean(spec)
    if not mean_loss > 0.0:
        return ""
    if abs(loss - mean_loss) <= _EXPLAINED * mean_loss:
        at_zero = max(result.alpha) == 0.0 or _starts_at_zero(spec)
        return _MEAN if at_zero else ""
    if reason != REASONS[STAGNATION] or result.solver not in FIRST_ORDER:
        return ""
    objective = float(result.checkpoint.state.reference[0])
    if loss > _LEFT * mean_loss and result.gradient_norm > _FLAT * objective:
        return _PLATEAU
    return ""


def warn(spec: RunSpecification, result: TrainResult, words: Words, stacklevel: int) -> None:
    """Warn if the end of a run is doubted, and say what to do.

    ``stacklevel`` is what the caller of this function would pass to ``warnings.warn``.
    """
    reason = doubt(spec, result) if result.stop_reason in CONVERGED else ""
    if not reason:
        return
    name = words.name("T")
    if reason == _MEAN:
        text = (
            f"Stopped by {result.stop_reason!r} where the network predicts the mean of {name} and "
            f"no more: the gradient vanishes at weights of 0, which are not the bottom. Start from "
            f"larger weights, those of another {words.name('seed')} for example. If X says nothing "
            f"about {name}, there is no better network."
        )
    else:
        share = float(result.loss_curve[-1]) / _loss_of_mean(spec)
        assert isinstance(spec.settings, FirstOrderSettings)
        rate = spec.settings.learning_rate
        text = (
            f"Stopped by 'stagnation' with {share:.2g} of the variance of {name} left: steps of "
            f"solver={result.solver!r} with learning_rate={rate:.2g} do not tell a plateau from "
            f"the bottom. Use solver='lbfgs', raise learning_rate, or switch the rule off with "
            f"{words.name('tol=None')}."
        )
    warnings.warn(text, words.unsettled, stacklevel=stacklevel + 1)


def _loss_of_mean(spec: RunSpecification) -> float:
    """Return the loss of the mean as the prediction, in squared units of T."""
    with np.errstate(over="ignore"):
        return float(np.square(spec.dataset.target_std).sum())


def _starts_at_zero(spec: RunSpecification) -> bool:
    """Tell whether a run starts at the saddle.  A penalty can make weights of 0 the minimum."""
    network = spec.initial_network
    largest = [float(np.abs(W).max()) for W in (network.W_h, network.W_y)]
    return min(largest) < _TINY
