"""What a training run returns, and what a callback is told while it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy.typing as npt

from batchprop.network import Network
from batchprop.training.checkpoint.checkpoint import Checkpoint


class Search(NamedTuple):
    """Where the search for a penalty stands.

    Attributes
    ----------
    alpha : float
        The α_h that is being tried.
    n_done, n_fits : int
        Fits that have ended, and those that are known to be needed; there may be more.
    """

    alpha: float
    n_done: int
    n_fits: int


@dataclass(frozen=True)
class Progress:
    """Where a run stands after an evaluation: what a callback gets.

    Attributes
    ----------
    epoch : int
        Steps taken before this evaluation.
    loss : float
        Training loss L there.
    validation_loss : float
        Loss on the validation data, NaN without any.
    best_loss : float
        Lowest so far: of the validation loss if there are validation data, else of L.
    gradient_norm : float
        ‖∂J/∂θ‖ there, of what is minimised: the loss of standardised data and the penalty.
    seconds : float
        Since training began.
    step : float
        Length of the latest step of θ (for standardised data): the one that led here or, of
        solvers that have made the next one by now, that.  NaN before the first.
    evaluations : int
        How often loss and gradient were computed, line searches included.
    start : int
        Which of ``n_init`` starts, or of the configurations of ``train_many``, from 0.
    search : Search or None
        Where the search for the penalty stands, as long as ``alpha="auto"`` goes on with it; the
        run has not begun then, ``epoch`` is 0, and losses and norms are NaN.
    """

    epoch: int
    loss: float
    validation_loss: float
    best_loss: float
    gradient_norm: float
    seconds: float
    step: float = math.nan
    evaluations: int = 0
    start: int = 0
    search: Search | None = None

    @classmethod
    def of_search(cls, search: Search, seconds: float, start: int) -> Self:
        """Return the progress of a run whose penalty is still searched."""
        unknown = math.nan
        return cls(0, unknown, unknown, unknown, unknown, seconds, unknown, 0, start, search)


class AlphaReport(NamedTuple):
    """How ``alpha="auto"`` came to its choice.

    Attributes
    ----------
    alphas : tuple of float
        The α_h that were tried, ascending; α_y was m times as much.
    scores : tuple of float
        Mean squared error of what was left out, in squared deviations of the targets: 1 is that of
        the mean as the prediction, or s with s outputs.  NaN where there was no time.
    n_folds : int
        5, or 1 for a large table; 0 where validation data judged, or nothing could.
    """

    alphas: tuple[float, ...]
    scores: tuple[float, ...]
    n_folds: int


@dataclass(frozen=True, eq=False)  # curves and networks have no single truth value
class TrainResult:
    """The outcome of a training run.

    Attributes
    ----------
    network : Network
        The best network seen: lowest validation loss if validation data were given, else lowest
        training loss and penalty together.  It takes and gives the units of X and T.
    loss : float
        Its training loss L, in squared units of T, without the penalty, as its predictions have it:
        that of ``loss_and_gradient(network, X, T)``.  ``loss_curve`` is what the solver saw, which
        rounding of the network's parameters can separate from it (``docs/scaling.md``).
    validation_loss : float
        Its loss on the validation data, NaN without any; as for ``loss``.
    last_network : Network
        The network after the last step.
    loss_curve : ndarray, shape (n_epochs + 1,)
        Entry k is L before step k + 1, the last one L after the last step.
    validation_loss_curve : ndarray, shape (n_epochs + 1,) or (0,)
        The same on the validation data; empty without any.
    n_epochs : int
        Steps taken.
    n_evaluations : int
        How often loss and gradient were computed, line searches included.
    gradient_norm : float
        ‖∂J/∂θ‖ at the last evaluation that had a gradient.
    score : float
        What the best network was chosen by: its validation loss if validation data were given,
        else loss and penalty of the standardised data, J.
    best_epoch : int
        Steps that had been taken when ``network`` was seen.
    stop_reason : str
        Done: ``target_loss``, ``gradient_norm``, ``stagnation``; or the solver's own word that no
        step leads lower: ``line_search`` (lbfgs, scipy), ``damping`` and ``step`` (lm), ``method``
        (scipy's method says it has converged).  Cut short: ``max_epochs``, ``max_evaluations``,
        ``patience``, ``max_seconds``, ``callback``, ``interrupted`` (Ctrl-C, or the callback has
        ended another of several starts), ``non_finite``, ``method_gave_up`` (scipy's method
        stopped for another reason).
    converged : bool
        Whether it is one of the first kind, and the run has come to the bottom by all that can be
        told: not where the network predicts no more than the mean of T, nor where steps along the
        gradient stagnate with most of the variance of T left (``docs/solvers.md``).
    seconds : float
        From the call to the result.
    solver : str
        What trained it: the one asked for, or the one that "auto" chose.
    checkpoint : Checkpoint
        Where the run stands, with the solver's arrays: ``train(X, T, resume=result)`` goes on from
        there.
    alpha : tuple of two floats
        The penalty (α_h, α_y): the one asked for, or the one that "auto" chose.
    alpha_report : AlphaReport or None
        What "auto" tried; None where nothing was chosen in this call.
    starts : tuple of TrainResult
        All the starts, in the order of their seeds, where ``n_init`` is more than 1; this result
        is the best of them.
    at_failure : tuple of two floats, or None
        Where ``stop_reason`` is ``non_finite``: loss and validation loss of the evaluation that
        ended the run, which is not in the curves.

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop import train
    >>> X = np.linspace(-1.0, 1.0, 50)[np.newaxis]
    >>> result = train(X, X**2, hidden_size=3, max_epochs=10)
    >>> result.stop_reason, result.n_epochs, result.converged
    ('max_epochs', 10, False)
    >>> result.loss_curve.shape
    (11,)
    >>> further = train(X, X**2, resume=result, max_epochs=10)
    >>> further.n_epochs, further.loss <= result.loss
    (20, True)
    """

    network: Network
    loss: float
    validation_loss: float
    last_network: Network
    loss_curve: npt.NDArray[Any]
    validation_loss_curve: npt.NDArray[Any]
    n_epochs: int
    n_evaluations: int
    gradient_norm: float
    score: float
    best_epoch: int
    stop_reason: str
    converged: bool
    seconds: float
    solver: str
    checkpoint: Checkpoint
    alpha: tuple[float, float] = (0.0, 0.0)
    alpha_report: AlphaReport | None = None
    starts: tuple[TrainResult, ...] = ()
    at_failure: tuple[float, float] | None = None

    def __repr__(self) -> str:
        validation = (
            f", validation loss {self.validation_loss:.6g}"
            if self.validation_loss_curve.size
            else ""
        )
        return (
            f"TrainResult({self.network}, loss {self.loss:.6g}{validation}, best of "
            f"{self.n_epochs} epochs at {self.best_epoch}, stopped by {self.stop_reason!r}, "
            f"{self.seconds:.3g} s)"
        )
