"""The parameters: a network's shape, its flat vector θ and the named views of it.

θ = [W_h, b_h, W_y, b_y], each block row-major; the blocks are views of one vector.  A gradient has
the same layout.

Symbols have one meaning in the whole package; https://batchprop.readthedocs.io/en/latest/notation.html
says where each is defined::

    e, m, s, N, P             inputs, hidden units, outputs, samples, parameters
    X (e, N), T (s, N)        inputs and targets, one sample a column
    w (N,), Σw                sample weights and their sum
    W_h (m, e), b_h (m,)      the hidden layer
    W_y (s, m), b_y (s,)      the output layer
    Z (m, N), H (m, N)        pre-activations W_h X + b_h, hidden activations σ(Z)
    Y (s, N), R (s, N)        predictions W_y H + b_y, residuals Y − T
    wR (s, N)                 weighted residuals w ⊙ R
    σ, σ′                     the activation and its derivative
    x⁺ (e + 1,), h⁺ (m + 1,)    [x; 1] and [h; 1]
    L, L̃                      the loss, and the loss of standardised data
    α_h, α_y                  penalties on W_h and W_y
    F = L̃ + penalty           the objective that a solver minimises
    g (P,)                    ∂F/∂θ
    δ_y (s, N), δ_h (m, N)    ∂L/∂Y, ∂L/∂Z
    J (s, P)                  the Jacobian of one sample, ∂y/∂θ
    ∂Y/∂X (s, e, N)           the Jacobian of the predictions at each sample
    JᵀJ (P, P), Jᵀy″ (P,)     means over samples: Σ_i w_i J_iᵀJ_i / Σw, Σ_i w_i J_iᵀy″_i / Σw
    Q_hh, Q_hy, Q_yy          the sums over samples that JᵀJ is assembled from
    G, U, Q, Xᵀ               in kernels: sums, rows to multiply, their products, a transpose
    η, μ, v                   learning rate, momentum coefficient, velocity
    β₁, β₂, ε                 Adam's decay rates and its small constant
    p (P,)                    a step or direction of L-BFGS or Levenberg–Marquardt
    a, φ(a) = F(θ + a p)      step length of a line search, the objective along p
    c₁, c₂                    constants of the Wolfe conditions
    Δθ, Δg (P,)               L-BFGS's pairs
    B⁻¹, κ, D                 its inverse Hessian, and the factor or diagonal that starts it
    λ, A, d                   damping, JᵀJ + penalty, mean of A's diagonal:  (A + λ d I) p = −½ g
    q (P,), ρ                 second-order correction of p, gain ratio
    K, Λ (P, P)               Σ_i w_i J_iᵀJ_i + Λ, and the diagonal matrix of penalties in it
    γ, ν, M                   number of effective parameters, variance of the noise, s Σw − s
    u (s, N)                  variance of a prediction
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Shape(NamedTuple):
    """Sizes of a network with one hidden layer.

    Attributes
    ----------
    n_inputs, n_hidden, n_outputs : int
        e, m and s.
    """

    n_inputs: int
    n_hidden: int
    n_outputs: int

    def __str__(self) -> str:
        return "-".join(map(str, self))

    @property
    def n_parameters(self) -> int:
        """Length of θ: m·e + m + s·m + s."""
        return offsets(self).b_y_start + self.n_outputs


class Blocks(NamedTuple):
    """The four parameter blocks, W_h (m, e), b_h (m,), W_y (s, m), b_y (s,)."""

    W_h: Array
    b_h: Array
    W_y: Array
    b_y: Array


class Offsets(NamedTuple):
    """Index of the first element of b_h, W_y and b_y in θ; W_h begins at 0."""

    b_h_start: int
    W_y_start: int
    b_y_start: int


def offsets(shape: Shape) -> Offsets:
    """Return where the blocks of a flat vector begin.

    Parameters
    ----------
    shape : Shape
        The network's sizes.
    """
    e, m, s = shape
    return Offsets(b_h_start=m * e, W_y_start=m * e + m, b_y_start=m * e + m + s * m)


def split(theta: Array, shape: Shape) -> Blocks:
    """Return the four blocks of a flat vector as views of it.

    Parameters
    ----------
    theta : ndarray, shape (P,)
        A contiguous flat vector of parameters or of their gradient.
    shape : Shape
        The network's sizes.
    """
    e, m, s = shape
    b_h_start, W_y_start, b_y_start = offsets(shape)
    return Blocks(
        W_h=theta[:b_h_start].reshape(m, e),
        b_h=theta[b_h_start:W_y_start],
        W_y=theta[W_y_start:b_y_start].reshape(s, m),
        b_y=theta[b_y_start:],
    )


class Parameters:
    """A flat vector θ and its four named views."""

    def __init__(self, theta: Array, shape: Shape) -> None:
        self._theta = theta
        self._shape = shape

    @property
    def theta(self) -> Array:
        """All parameters, flat (P,): W_h, b_h, W_y, b_y, each row-major."""
        return self._theta

    @property
    def shape(self) -> Shape:
        """The sizes e, m, s."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self._theta.dtype

    @property
    def W_h(self) -> Array:
        """Hidden layer's weights (m, e), a view of θ."""
        return split(self._theta, self._shape).W_h

    @property
    def b_h(self) -> Array:
        """Hidden layer's biases (m,), a view of θ."""
        return split(self._theta, self._shape).b_h

    @property
    def W_y(self) -> Array:
        """Output layer's weights (s, m), a view of θ."""
        return split(self._theta, self._shape).W_y

    @property
    def b_y(self) -> Array:
        """Output layer's biases (s,), a view of θ."""
        return split(self._theta, self._shape).b_y


class Gradient(Parameters):
    """∂L/∂θ, with the blocks and the layout of the network it belongs to."""

    def __repr__(self) -> str:
        return f"Gradient({self.shape}, norm={np.linalg.norm(self.theta):.6g})"
