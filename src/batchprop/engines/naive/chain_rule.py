"""Result 5 of the derivation: the same gradient with every factor of the chain rule by itself.

For one sample the network is a chain of small functions::

    w_h, b_h -> z -> h -> y -> L

and the derivative of L with respect to a parameter is the product of the derivatives along the
chain.  Each factor is a function of exactly the numbers that it depends on.  Only the sum over the
samples i is taken of the whole product, because each sample has its own y_i.
"""

from __future__ import annotations

from collections.abc import Sequence

from batchprop.engines.naive.activation_formulas import lookup
from batchprop.engines.naive.sample_weights import plain_sum, weights_or_ones
from batchprop.engines.naive.scalar import Forward, forward, mean_loss


def dL_dy(y_i: float, t_i: float, weight_i: float, N: float) -> float:
    """Differentiate L = (1/N) Σ_i w_i (y_i − t_i)² with respect to y_i: w_i 2 (y_i − t_i) / N."""
    return weight_i * 2 * (y_i - t_i) / N


def dy_dw_y(h_k: float) -> float:
    """Differentiate y = ... + w_y[k] h[k] + ... with respect to w_y[k]: h[k]."""
    return h_k


def dy_db_y() -> float:
    """Differentiate y = ... + b_y[0] with respect to b_y[0]: 1."""
    return 1.0


def dy_dh(w_y_k: float) -> float:
    """Differentiate y = ... + w_y[k] h[k] + ... with respect to h[k]: w_y[k]."""
    return w_y_k


def dh_dz(z_k: float, activation: str) -> float:
    """Differentiate h[k] = σ(z[k]) with respect to z[k]: σ′(z[k])."""
    return lookup(activation).sigma_prime(z_k)


def dz_dw_h(x_i: float) -> float:
    """Differentiate z[k] = w_h[k] x + b_h[k] with respect to w_h[k]: x."""
    return x_i


def dz_db_h() -> float:
    """Differentiate z[k] = w_h[k] x + b_h[k] with respect to b_h[k]: 1."""
    return 1.0


def dL_dw_y(
    k: int, passes: Sequence[Forward], t: Sequence[float], weight: Sequence[float]
) -> float:
    """Return Σ_i ∂L/∂y ∂y/∂w_y[k]."""
    N = plain_sum(weight)
    return plain_sum(
        dL_dy(pass_i.y, t[i], weight[i], N) * dy_dw_y(pass_i.h[k])
        for i, pass_i in enumerate(passes)
    )


def dL_db_y(passes: Sequence[Forward], t: Sequence[float], weight: Sequence[float]) -> float:
    """Return Σ_i ∂L/∂y ∂y/∂b_y."""
    N = plain_sum(weight)
    return plain_sum(
        dL_dy(pass_i.y, t[i], weight[i], N) * dy_db_y() for i, pass_i in enumerate(passes)
    )


def dL_dz(pass_i: Forward, k: int, w_y_k: float, dL_dy_i: float, activation: str) -> float:
    """Return ∂L/∂y ∂y/∂h[k] ∂h[k]/∂z[k] of one sample, a factor of ∂L/∂w_h and of ∂L/∂b_h."""
    return dL_dy_i * dy_dh(w_y_k) * dh_dz(pass_i.z[k], activation)


def dL_dw_h(
    k: int,
    passes: Sequence[Forward],
    w_y: Sequence[float],
    x: Sequence[float],
    t: Sequence[float],
    weight: Sequence[float],
    activation: str,
) -> float:
    """Return Σ_i ∂L/∂y ∂y/∂h[k] ∂h[k]/∂z[k] ∂z[k]/∂w_h[k]."""
    N = plain_sum(weight)
    return plain_sum(
        dL_dz(pass_i, k, w_y[k], dL_dy(pass_i.y, t[i], weight[i], N), activation) * dz_dw_h(x[i])
        for i, pass_i in enumerate(passes)
    )


def dL_db_h(
    k: int,
    passes: Sequence[Forward],
    w_y: Sequence[float],
    t: Sequence[float],
    weight: Sequence[float],
    activation: str,
) -> float:
    """Return Σ_i ∂L/∂y ∂y/∂h[k] ∂h[k]/∂z[k] ∂z[k]/∂b_h[k]."""
    N = plain_sum(weight)
    return plain_sum(
        dL_dz(pass_i, k, w_y[k], dL_dy(pass_i.y, t[i], weight[i], N), activation) * dz_db_h()
        for i, pass_i in enumerate(passes)
    )


def loss_and_gradient(
    w_h: Sequence[float],
    b_h: Sequence[float],
    w_y: Sequence[float],
    b_y: Sequence[float],
    x: Sequence[float],
    t: Sequence[float],
    activation: str,
    sample_weight: Sequence[float] | None = None,
) -> tuple[float, list[float], list[float], list[float], list[float]]:
    """Compute loss and gradient of a 1-m-1 network as products of chain-rule factors.

    Arguments and results are those of `batchprop.engines.naive.scalar.loss_and_gradient`.

    Parameters
    ----------
    w_h, b_h, w_y : sequences of m floats
        Hidden weights, hidden biases and output weights.
    b_y : sequence of one float
        Output bias.
    x, t : sequences of N floats
        Input and target of every sample.
    activation : str
        Name of the hidden activation.
    sample_weight : sequence of N floats, optional
        Weight of each sample; 1 by default.

    Returns
    -------
    loss : float
    dw_h, db_h, dw_y, db_y : lists of floats

    Raises
    ------
    ValueError
        If the activation is unknown.
    """
    weight = weights_or_ones(sample_weight, len(t))
    passes = [forward(w_h, b_h, w_y, b_y, x_i, activation) for x_i in x]
    units = range(len(w_h))
    loss = mean_loss([pass_i.y for pass_i in passes], t, weight)
    dw_h = [dL_dw_h(k, passes, w_y, x, t, weight, activation) for k in units]
    db_h = [dL_db_h(k, passes, w_y, t, weight, activation) for k in units]
    dw_y = [dL_dw_y(k, passes, t, weight) for k in units]
    db_y = [dL_db_y(passes, t, weight)]
    return loss, dw_h, db_h, dw_y, db_y
