"""``Posterior``: how uncertain the parameters of a trained network are, and its outputs with them.

Laplace's approximation: around the fit, θ is normal with covariance ν K⁻¹, where K = Σ_i w_i J_iᵀ
J_i + Λ = L Lᵀ.  So an output of one network has the variance ν v_oo(x),

    v(x) = J(x) K⁻¹ J(x)ᵀ        v_oo = ‖L⁻¹ J_oᵀ‖²

For a mean of networks, v is the mean of theirs, and the sample variance of their predictions, the
spread, is added.  It is over n − 1 networks, so that means of few and of many networks compare.
K⁻¹ can be restricted to the last layer, where v = h⁺ᵀ K⁻¹ h⁺ is the same for all outputs, or left
out.

Sources: D. MacKay, *A practical Bayesian framework for backpropagation networks*, 1992;
E. Daxberger et al., *Laplace redux*, 2021, for the last layer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.machine.thread_count import available
from batchprop.machine.thread_map import thread_map
from batchprop.parameters import Shape
from batchprop.scaling import Scaling

Array = npt.NDArray[Any]

FULL, LAST_LAYER, CONSTANT = "full", "last-layer", "constant"
_CHUNK_BYTES = 1 << 22  # of the columns of Jᵀ that are there at a time
_MAX_CHUNK = 1024  # samples


class Uncertainty(NamedTuple):
    """What a posterior says about some samples, in standardised units.

    Attributes
    ----------
    v : ndarray, shape (s, N)
        v_oo, the variance of each output over that of its noise; the mean over networks.
    spread : ndarray, shape (s, N)
        Sample variance of the predictions of the networks (over n_networks − 1); 0 for a single
        one.
    """

    v: Array
    spread: Array


class Posterior(NamedTuple):
    """Networks of one shape, for standardised data, and the factors of their K.

    Attributes
    ----------
    activation : str
        Name of σ.
    shape : Shape
        Sizes of each network.
    scaling : Scaling
        How data are standardised.
    thetas : ndarray, shape (n_networks, P), float64
        θ of each network.
    factors : ndarray, shape (n_networks, n, n), float64
        L⁻¹ of each: n is P, m + 1 for the last layer, or 0.
    """

    activation: str
    shape: Shape
    scaling: Scaling
    thetas: Array
    factors: Array

    @property
    def approximation(self) -> str:
        """Which parameters vary: "full", "last-layer" or "constant", none of them."""
        n = self.factors.shape[1]
        return {0: CONSTANT, self.shape.n_hidden + 1: LAST_LAYER}.get(n, FULL)

    def uncertainty(self, X: Array, n_threads: int | None = None) -> Uncertainty:
        """Return v and the spread at inputs X (e, N) in the user's units.

        Rows are computed in chunks, by ``n_threads`` threads at most, to the same bits for any
        number of them.
        """
        s, n_samples = self.shape.n_outputs, X.shape[1]
        result = Uncertainty(np.zeros((s, n_samples)), np.zeros((s, n_samples)))
        if self.approximation == CONSTANT and len(self.thetas) == 1:
            return result
        step = self._chunk_size()

        def compute(first: int) -> None:
            part = slice(first, first + step)
            result.v[:, part], result.spread[:, part] = self._chunk(X[:, part])

        threads = available() if n_threads is None else n_threads
        thread_map(compute, range(0, n_samples, step), threads)
        return result

    def _chunk_size(self) -> int:
        from batchprop.linalg.panel_products import WIDTH

        rows = max(self.shape.n_parameters if self.approximation == FULL else 0, sum(self.shape))
        return max(1, min(_MAX_CHUNK, _CHUNK_BYTES // (8 * rows)) // WIDTH) * WIDTH

    def _chunk(self, X: Array) -> Uncertainty:
        """Return v and the spread of a few samples."""
        from batchprop.predictive.jacobian import Activity, columns, input_panels

        n_samples, approximation = X.shape[1], self.approximation
        inputs = input_panels(X, self.scaling)
        v = np.zeros((self.shape.n_outputs, n_samples))
        outputs = []
        for theta, factor in zip(self.thetas, self.factors, strict=True):
            network = Activity(theta, self.shape, self.activation, inputs)
            outputs.append(columns(network.outputs(), n_samples))
            if approximation == FULL:
                for o, J_o in enumerate(network.jacobians()):
                    v[o] += quadratic_form(factor, J_o)[:n_samples]
            elif approximation == LAST_LAYER:
                v += quadratic_form(factor, network.last_layer())[:n_samples]
        n_networks = len(self.thetas)
        spread = np.var(outputs, axis=0, ddof=1) if n_networks > 1 else np.zeros_like(v)
        return Uncertainty(v / n_networks, spread)


def claimed_variance(
    posterior: Posterior, noise_variance: Array, X: Array, n_threads: int | None = None
) -> Array:
    """Return u = ν v + spread (s, N), the variance of a prediction, for standardised targets.

    Parameters
    ----------
    posterior : Posterior
        Of the network that predicts.
    noise_variance : ndarray, shape (s,)
        ν of each output.
    X : ndarray, shape (e, N)
        Inputs in the user's units.
    n_threads : int or None
        At most so many threads.
    """
    v, spread = posterior.uncertainty(X, n_threads)
    return noise_variance[:, np.newaxis] * v + spread


def quadratic_form(factor: Array, J: Array) -> Array:
    """Return ‖L⁻¹ j‖² of each column j; J has the shape (panels, n, WIDTH)."""
    from batchprop.linalg.panel_products import BAND_SIZE, squared_norms

    out, n = np.empty(J.shape[0] * J.shape[2]), factor.shape[0]
    work = np.zeros(BAND_SIZE)
    squared_norms(factor.reshape(-1), n, J.reshape(-1), J.shape[0], work, out)
    return out
