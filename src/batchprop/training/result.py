"""``TrainResult``, which a run returns, and ``Progress``, which a callback gets during the run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy.typing as npt

from batchprop import summary_table
from batchprop.network import Network
from batchprop.predictive.predictive import Predictive
from batchprop.training import summary
from batchprop.training.alpha_report import AlphaReport
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.fit_errors import FitErrors
from batchprop.training.trained_network import TrainedNetwork

BEST, MEAN = "best", "mean"  # how the results of several starts are combined
PENALTY, CALIBRATION = "penalty", "calibration"  # what ``Search`` is for


class Search(NamedTuple):
    """The progress of fits that choose a penalty, or calibrate uncertainty.

    Attributes
    ----------
    alpha : float
        The α_h that is tried now.
    n_done, n_fits : int
        Number of fits that have ended, and of those that are known to be needed so far.
    stage : {"penalty", "calibration"}
        What the fits are for: the first come before the run, the others after it.
    """

    alpha: float
    n_done: int
    n_fits: int
    stage: str = PENALTY


@dataclass(frozen=True)
class Progress:
    """The progress of a run after an evaluation; the argument of a callback.

    Attributes
    ----------
    epoch : int
        Steps taken before this evaluation.
    loss : float
        Training loss L there.
    validation_loss : float
        Loss on the validation data, NaN without any.
    best_loss : float
        Lowest validation loss so far if there are validation data, else lowest L.
    gradient_norm : float
        ‖∂F/∂θ‖ there, F being the objective: the loss of standardised data, and the penalty.
    seconds : float
        Since training began.
    step : float
        Length of the latest step of θ (for standardised data).  It is the step that led here, or
        the next one if the solver has made it by now; NaN before the first.
    evaluations : int
        Number of evaluations of loss and gradient, line searches included.
    start : int
        Position of the start among ``n_init``, or of the configuration of ``train_many``, from 0.
    search : Search or None
        The progress of the search for the penalty, before a run with ``alpha="evidence"`` or
        "cv", or of the fits that calibrate ``uncertainty``, after a run.  ``epoch`` is 0 then, and
        losses and norms are NaN.
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
        """Return the progress of a run during the search for its penalty."""
        unknown = math.nan
        return cls(0, unknown, unknown, unknown, unknown, seconds, unknown, 0, start, search)


@dataclass(frozen=True, eq=False)  # curves and networks have no single truth value
class TrainResult(TrainedNetwork):
    """The outcome of a training run; ``print(result)`` shows a summary.

    Attributes
    ----------
    network : Network
        The best network seen: that of the lowest validation loss if there were validation data,
        else that of the lowest F, loss and penalty together.  It has the units of X and T.
    loss : float
        Its training loss L, in squared units of T, without the penalty: that of its predictions,
        as ``loss_and_gradient(network, X, T)`` returns it.  ``loss_curve`` has the losses that the
        solver saw; rounding of the network's parameters can cause a difference
        (https://batchprop.readthedocs.io/en/latest/scaling.html).
    validation_loss : float
        Its loss on the validation data, measured like ``loss``; NaN without validation data.
    last_network : Network
        The network after the last step.
    loss_curve : ndarray, shape (n_epochs + 1,)
        Entry k is L before step k + 1, the last one L after the last step.
    validation_loss_curve : ndarray, shape (n_epochs + 1,) or (0,)
        The same on the validation data; empty without validation data.
    n_epochs : int
        Number of steps.
    n_evaluations : int
        Number of evaluations of loss and gradient, line searches included.
    gradient_norm : float
        ‖∂F/∂θ‖ at the last evaluation that had a gradient.
    selection_score : float
        The value by which the best network was chosen: its validation loss if there were
        validation data, else F, loss and penalty of the standardised data.
    best_epoch : int
        Number of steps that led to ``network``.
    stop_reason : str
        Done: ``target_loss``, ``gradient_norm``, ``stagnation``; or the solver found no step that
        leads lower: ``line_search`` (lbfgs, scipy), ``damping`` and ``step`` (lm), ``method``
        (scipy's method reported convergence).  Cut short: ``max_epochs``, ``max_evaluations``,
        ``patience``, ``max_seconds``, ``callback``, ``interrupted`` (Ctrl-C, or the callback of
        another of several starts), ``non_finite``, ``method_gave_up`` (scipy's method stopped for
        another reason).
    converged : bool
        Whether the reason is one of the first group and the run has probably reached a minimum.
        It has not if the network predicts no more than the mean of T, or if steps along the
        gradient stagnate with most of the variance of T left
        (https://batchprop.readthedocs.io/en/latest/solvers.html).
    seconds : float
        From the call to the result.
    solver : str
        The solver that was used: the one asked for, or the one that "auto" chose.
    checkpoint : Checkpoint
        The state of the run, with the solver's arrays.  ``train(X, T, resume=result)`` resumes
        there.
    alpha : tuple of two floats
        The penalty (α_h, α_y): the one asked for, or the one that evidence or cross-validation
        chose.
    alpha_report : AlphaReport or None
        How it was chosen (``batchprop.result.AlphaReport``); None if this call chose no
        penalty.
    starts : tuple of TrainResult
        The results of all starts, in the order of their seeds, if ``n_init`` is more than 1.
    combine : {"best", "mean"}
        What this result is: that of one run, the best of ``starts`` if there are any, or their
        mean (see Notes).
    predictive : Predictive or None
        How sure ``network`` is, if ``uncertainty`` was asked for; None otherwise, and if the run
        became NaN or infinite or there is a single sample.
    at_failure : tuple of two floats, or None
        If ``stop_reason`` is ``non_finite``: loss and validation loss of the evaluation that ended
        the run.  They are not in the curves.
    training_errors : FitErrors
        RMSE and R² of ``network`` on the training data, output by output
        (``batchprop.result.FitErrors``).
    validation_errors : FitErrors or None
        The same on the validation data, if there are any.

    Notes
    -----
    The result of ``combine="mean"``: ``network`` is the mean of the networks of the starts, and
    ``last_network`` the mean of their last networks.  ``loss`` and ``validation_loss`` are measured
    for ``network``.  ``selection_score`` is its validation loss if there were validation data, else
    the mean of the starts' scores.  Curves, counts, ``gradient_norm`` and ``checkpoint`` are those
    of one start: of those that did not converge the one with the lowest score, or of all if all
    did.  ``stop_reason`` is its reason, or that of a start that was cut short from outside (by
    ``max_seconds``, Ctrl-C or a callback).  ``converged`` is true if all starts converged.
    Left out of the mean are starts that became NaN or infinite, and of those that were cut short
    the ones that had taken no step or whose score is above those of all starts that ended by
    themselves.  If none is left, the best start stands alone.

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
    selection_score: float
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
    combine: str = BEST
    predictive: Predictive | None = None
    training_errors: FitErrors = FitErrors((), ())
    validation_errors: FitErrors | None = None

    @property
    def r2(self) -> float:
        """R² of ``network`` on the training data, mean over outputs, weights counted.

        It is that of scikit-learn's ``r2_score``, also for constant targets; NaN if no network was
        evaluated.  New samples are predicted less well: see ``print(result)``, or ``score(X, T)``
        with samples that were not trained on.
        """
        return self.training_errors.r2

    def _rows(self) -> dict[str, str]:
        """Return the lines of the summary, by their labels."""
        n_averaged = 0
        if self.combine == MEAN:
            n_averaged = self.network.shape.n_hidden // self.starts[0].network.shape.n_hidden
        validation, predictive = self.validation_errors, self.predictive
        left_out = () if predictive is None else tuple(map(float, predictive.error_std))
        return {
            "network": summary.network(self.network, n_averaged, len(self.starts)),
            "training": summary.run(
                self.solver, self.n_epochs, self.best_epoch, len(self.starts), self.seconds
            ),
            "stopped": summary.stop(self.stop_reason, self.converged),
            "training error": summary.training_error(self.training_errors),
            "new samples": summary.new_samples(
                self.alpha_report,
                self.training_errors,
                validation,
                n_averaged,
                left_out,
                self.converged,
            ),
            "penalty": summary.penalty(self.alpha, self.alpha_report),
            "effective": summary.effective_parameters(self.alpha_report),
        }

    def __str__(self) -> str:
        return summary_table.text(self._rows())

    def _repr_html_(self) -> str:
        return summary_table.html("TrainResult", self._rows())

    def __repr__(self) -> str:
        validation = (
            f", validation loss {self.validation_loss:.6g}"
            if self.validation_loss_curve.size
            else ""
        )
        origin = f"best of {self.n_epochs} epochs at {self.best_epoch}"
        if self.combine == MEAN:
            n_averaged = self.network.shape.n_hidden // self.starts[0].network.shape.n_hidden
            origin = f"mean of {n_averaged} of {len(self.starts)} starts"
        return (
            f"TrainResult({self.network}, loss {self.loss:.6g}{validation}, {origin}, "
            f"stopped by {self.stop_reason!r}, {self.seconds:.3g} s)"
        )
