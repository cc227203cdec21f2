"""Networks for the tests of exports, in raw units as well, and what rounding may change."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from batchprop import Network
from batchprop.activations import ACTIVATIONS
from tests.problems import problem

UNITS = {"usual": (1.0, 1.0), "tiny": (1e-9, 1e9), "huge": (1e9, 1e-9)}  # of X and Y
N_SAMPLES = 9


class Case(NamedTuple):
    """A network, inputs for it, and an identifier."""

    name: str
    network: Network
    X: Any  # (e, N)


def cases(dtype, activations=tuple(ACTIVATIONS)):
    """Yield networks of all activations, with 1 and 3 outputs, in units from 1e-9 to 1e9.

    The last two samples are so far away that units are saturated.
    """
    for activation in activations:
        for s in (1, 3):
            for unit, (of_x, of_y) in UNITS.items():
                net, X, _, _ = problem(3, 5, s, N_SAMPLES, activation)
                X[:, -2:] *= 1e4
                net = Network(
                    net.W_h / of_x, net.b_h, net.W_y * of_y, (net.b_y + 100.0) * of_y, activation
                ).astype(dtype)
                yield Case(f"{activation}_{s}_{unit}", net, (X * of_x).astype(dtype))


def bounds(net, X, roundoffs=16):
    """Return limits of the rounding errors of Y (s, N) and ∂Y/∂X (s, e, N) in the net's dtype.

    ``net`` computes with a relative error of a few units in the last place of each sum's largest
    term; that of Z changes H and σ′(Z) by at most as much.
    """
    W_h, b_h, W_y, b_y = (np.abs(block.astype(float)) for block in (
        net.W_h, net.b_h, net.W_y, net.b_y
    ))  # fmt: skip
    terms = W_h @ np.abs(X) + b_h[:, np.newaxis] + 1.0
    eps = roundoffs * np.finfo(net.dtype).eps
    of_Y = W_y @ terms + b_y[:, np.newaxis]
    of_dY_dX = np.einsum("ok,ki,kj->oji", W_y, terms, W_h)
    return eps * of_Y, eps * of_dY_dX
