"""``TrainedNetwork``: what a result answers by its network: predictions, and R² on any samples."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import scaling, validation
from batchprop.blocks.block_sequence import BlockSequence
from batchprop.network import Network
from batchprop.network_loss import output_losses
from batchprop.training.fit_errors import FitErrors, of_output_losses
from batchprop.validation.error_text import described, message

Array = npt.NDArray[Any]


class TrainedNetwork:
    """A mixin: methods of a result that has a ``network``."""

    network: Network

    def predict(
        self, X: npt.ArrayLike, *, engine: str = "fused", n_threads: int | None = None
    ) -> Array:
        """Predict targets; the same as ``result.network.predict``.

        Parameters
        ----------
        X : array_like, shape (e, N)
            Inputs, one sample per column, in the units of the training data.
        engine : {"fused", "vectorized", "naive"}
            The implementation to use.
        n_threads : int or None
            Maximum number of threads; None chooses it from the amount of work.

        Returns
        -------
        ndarray, shape (s, N)
            Predictions in units of T and in the network's dtype.

        Raises
        ------
        TypeError, ValueError
            ``X`` does not consist of real numbers, has another shape than (e, N), is empty, or
            contains NaN or inf.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import train
        >>> X = np.linspace(-1.0, 1.0, 50)[np.newaxis]
        >>> train(X, X**2, hidden_size=5).predict([[0.0, 0.5]]).round(2) + 0.0
        array([[0.  , 0.25]])
        """
        return self.network.predict(X, engine=engine, n_threads=n_threads)

    def score(
        self,
        X: npt.ArrayLike | BlockSequence,
        T: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        *,
        n_threads: int | None = None,
    ) -> float:
        """Return R² of the predictions on these samples, the mean over outputs.

        1 is a perfect prediction and 0 that of the mean of T; there is no lower bound.  Pass
        samples that the network was not trained on.  R² of the training data is ``result.r2``.

        Parameters
        ----------
        X : array_like, shape (e, N), or Blocks
            Inputs, one sample per column; or ``batchprop.Blocks`` of samples, which have the
            targets and the weights, too.
        T : array_like, shape (s, N), or None
            Targets; None where X is Blocks.
        sample_weight : array_like, shape (N,), or None
            Non-negative weights of the samples.
        n_threads : int or None
            Maximum number of threads.

        Returns
        -------
        float
            1 − Σ w (y − t)² / Σ w (t − mean of t)² of each output, averaged over the outputs with
            equal shares.  This is scikit-learn's ``r2_score``, also for constant targets: an
            output whose target is constant counts as 1 if every prediction is exact, else as 0.

        Raises
        ------
        TypeError, ValueError
            A table has another shape than (e, N) or (s, N) or does not consist of finite real
            numbers, or the weights do not fit.

        Warns
        -----
        UserWarning
            Fewer than two samples have a positive weight.  R² is not defined then, and the value
            is NaN.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import train
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(-1.0, 1.0, (2, 300))
        >>> T = np.sin(3 * X[:1]) * X[1:] + 0.1 * rng.standard_normal((1, 300))
        >>> result = train(X[:, :200], T[:, :200])
        >>> 0.8 < result.score(X[:, 200:], T[:, 200:]) < 1.0
        True
        """
        threads = validation.n_threads(n_threads)
        if isinstance(X, BlockSequence):
            n_samples, errors = _errors_on_blocks(self.network, X, T, sample_weight, threads)
        else:
            if T is None:
                remedy = "Pass both; only Blocks have targets of their own."
                raise TypeError(message("T", "come with an array X", "None", remedy))
            X, T, weight = checked_samples(self.network, X, T, sample_weight)
            n_samples = T.shape[1] if weight is None else int(np.count_nonzero(weight))
            errors = partial(errors_on, self.network, X, T, weight, n_threads=threads)
        if n_samples < 2:
            warnings.warn(
                f"R² must be computed from at least 2 samples; got {n_samples} of positive weight. "
                "The value is NaN. Pass more samples, or compare predict(X) with T.",
                UserWarning,
                stacklevel=2,
            )
            return float("nan")
        return errors().r2


def _errors_on_blocks(
    network: Network, blocks: BlockSequence, T: object, sample_weight: object, n_threads: int | None
) -> tuple[int, Callable[[], FitErrors]]:
    """Read blocks once; return how many samples count, and a function that returns the errors."""
    from batchprop.training.block_samples import BlockSamples  # imports the compiler

    for name, value in (("T", T), ("sample_weight", sample_weight)):
        if value is not None:
            remedy = "Leave it out: Blocks have targets and weights."
            raise TypeError(message(name, "be None where X is Blocks", described(value), remedy))
    sizes = blocks.n_inputs, blocks.n_outputs
    if sizes != network.shape[::2]:
        expected = f"have {network.shape.n_inputs} inputs and {network.shape.n_outputs} targets"
        remedy = "Choose the columns that the network was trained on, in the same order."
        raise ValueError(message("X", expected, f"{sizes[0]} and {sizes[1]}", remedy))
    samples = BlockSamples(blocks)
    summary = samples.summarise(("X", "T", "sample_weight"), network.dtype)

    def errors() -> FitErrors:
        losses = samples.output_losses(summary, network, n_threads)
        return of_output_losses(losses, summary.target_std)

    return summary.n_present, errors


def checked_samples(
    network: Network,
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
) -> tuple[Array, Array, Array | None]:
    """Return X, T and weights as checked arrays that fit a network."""
    e, _, s = network.shape
    X, T = validation.tables(X, T, e, s, dtype=network.dtype)
    return X, T, validation.sample_weight(sample_weight, X.shape[1], X.shape[0])


def errors_on(
    network: Network,
    X: Array,
    T: Array,
    sample_weight: Array | None = None,
    *,
    n_threads: int | None = None,
) -> FitErrors:
    """Return RMSE of each output on checked samples, with the standard deviation of its target."""
    losses = output_losses(network, X, T, sample_weight, n_threads=n_threads)
    return of_output_losses(losses, scaling.standard_deviations(T, sample_weight))
