"""``average``: the mean of several networks, which is a network itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.network import Network
from batchprop.validation.error_text import described, message

Array = npt.NDArray[Any]


def average(networks: Iterable[Network], weights: npt.ArrayLike | None = None) -> Network:
    """Return the network whose predictions are the mean of the predictions of several networks.

    A sum of outputs over the units of all networks is the output of one wider network.  So the mean
    of n networks of m hidden units is one network of n·m units: W_h and b_h are stacked, each W_y
    is divided by n, and b_y is the mean.  It is saved, loaded and evaluated like any other.

    Parameters
    ----------
    networks : iterable of Network
        Networks with the same number of inputs, the same number of outputs and the same activation.
        Their numbers of hidden units may differ.
    weights : array_like, shape (n,), or None
        Non-negative weights of the networks, of which only the ratios matter; None weights all
        alike.  A network of weight 0 is left out.

    Returns
    -------
    Network
        The mean.  It is float32 if all networks are, otherwise float64.

    Raises
    ------
    TypeError
        ``networks`` does not consist of networks, or ``weights`` not of real numbers.
    ValueError
        There is no network, two of them differ in their inputs, outputs or activation, or the
        weights are not one finite number ≥ 0 for each, with a positive sum.

    Notes
    -----
    ``train(..., n_init=5, combine="mean")`` trains the networks and returns their mean.
    The squared error is convex, so the loss of the mean is never above the mean of the losses
    (A. Krogh and J. Vedelsby, *Neural network ensembles, cross validation, and active learning*,
    1995).

    Examples
    --------
    >>> from batchprop import Network, average
    >>> networks = [Network.initialize(2, 3, 1, seed=seed) for seed in range(5)]
    >>> mean = average(networks)
    >>> mean
    Network(2-15-1, activation='tanh', dtype=float64)
    >>> X = [[0.5, -1.0], [0.2, 0.3]]
    >>> bool(abs(mean.predict(X) - sum(n.predict(X) for n in networks) / 5).max() < 1e-15)
    True
    """
    members = _members(networks)
    shares = _shares(weights, len(members))
    members = [network for network, share in zip(members, shares, strict=True) if share > 0]
    shares = shares[shares > 0]
    dtype = np.result_type(*(network.dtype for network in members))
    # products in float64, so that a float32 mean is rounded once
    pairs = [
        (network.astype("float64"), share) for network, share in zip(members, shares, strict=True)
    ]
    W_y = [network.W_y * share for network, share in pairs]
    b_y = sum(network.b_y * share for network, share in pairs)
    return Network(
        np.vstack([network.W_h for network in members]).astype(dtype),
        np.concatenate([network.b_h for network in members]).astype(dtype),
        np.hstack(W_y).astype(dtype),
        np.asarray(b_y).astype(dtype),
        activation=members[0].activation,
    )


def _members(networks: object) -> list[Any]:
    """Return the networks as a list: at least one, and all of one kind."""
    remedy = "Pass, for example, [first.network, second.network]."
    try:
        members: list[Any] = list(networks)  # type: ignore[call-overload]
    except TypeError:
        expected = "be a list of networks"
        raise TypeError(message("networks", expected, described(networks), remedy)) from None
    if not members:
        raise ValueError(message("networks", "hold at least one network", "none", remedy))
    for k, member in enumerate(members):
        if not isinstance(member, Network):
            expected = "be a batchprop.Network"
            raise TypeError(message(f"networks[{k}]", expected, described(member), remedy))
        kinds = [
            (network.shape.n_inputs, network.shape.n_outputs, network.activation)
            for network in (members[0], member)
        ]
        if kinds[0] != kinds[1]:
            e, s, activation = kinds[0]
            expected = f"have {e} inputs, {s} outputs and activation {activation!r}, as networks[0]"
            remedy = "Average the predictions of networks that differ in them."
            raise ValueError(message(f"networks[{k}]", expected, str(member), remedy))
    return members


def _shares(weights: npt.ArrayLike | None, count: int) -> Array:
    """Return the share of each network, float64, of sum 1."""
    if weights is None:
        return np.full(count, 1.0 / count)
    array = validation.real_array("weights", weights).astype(np.float64)
    if array.shape != (count,):
        expected = f"have shape ({count},), one weight a network"
        remedy = "Pass a flat list as long as networks."
        raise ValueError(message("weights", expected, f"shape {array.shape}", remedy))
    validation.finite("weights", array, "Use 0 to leave a network out.")
    if array.min() < 0:
        got = f"{array.min()} at weights[{int(array.argmin())}]"
        raise ValueError(
            message("weights", "be non-negative", got, "Use 0 to leave a network out.")
        )
    if array.max() == 0:
        remedy = "Give at least one network a positive weight."
        raise ValueError(message("weights", "have a positive sum", "zeros only", remedy))
    ratios = array / array.max()  # the sum of large weights may overflow
    shares: Array = ratios / ratios.sum()
    return shares
