"""Functions without noise, each with its source and its usual domain.  X (N, e) and T (N, 1).

Surjanovic and Bingham's Virtual Library of Simulation Experiments (sfu.ca/~ssurjano) collects most
of them. Points are uniform in the domain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.data import Array
from benchmarks.least_squares.problems import borehole, circuit, franke, ishigami

Formula = Callable[..., Array]  # one array of values for each input


class Function(NamedTuple):
    """A formula, and the lower and upper bounds of its inputs."""

    formula: Formula
    lower: Sequence[float]
    upper: Sequence[float]

    def sample(self, n: int, seed: int) -> tuple[Array, Array]:
        """Return n uniform points (n, e) and the values there, (n, 1)."""
        X = np.random.default_rng(seed).uniform(self.lower, self.upper, (n, len(self.lower)))
        return X, np.asarray(self.formula(*X.T))[:, None]


def friedman1(*x: Array) -> Array:
    """Ten inputs, of which five are relevant (Friedman 1991)."""
    bumps = 10 * np.sin(np.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2
    return np.asarray(bumps + 10 * x[3] + 5 * x[4])


def wing_weight(
    area: Array, fuel: Array, aspect: Array, sweep: Array, pressure: Array, taper: Array,
    thickness: Array, load: Array, gross: Array, paint: Array,
) -> Array:  # fmt: skip
    """The weight of a light aircraft's wing in pounds (Forrester, Sóbester and Keane 2008)."""
    cosine = np.cos(np.deg2rad(sweep))
    geometry = area**0.758 * (aspect / cosine**2) ** 0.6 * (100 * thickness / cosine) ** -0.3
    loads = fuel**0.0035 * pressure**0.006 * (load * gross) ** 0.49
    return np.asarray(0.036 * geometry * taper**0.04 * loads + area * paint)


def robot_arm(*x: Array) -> Array:
    """The distance of the end of a planar arm of four segments (An and Owen 2001).

    The first four inputs are the angles of the joints in turns, the others the lengths.
    """
    directions = np.cumsum(2 * np.pi * np.asarray(x[:4]), axis=0)
    lengths = np.asarray(x[4:])
    across, along = (lengths * f(directions) for f in (np.cos, np.sin))
    return np.hypot(across.sum(axis=0), along.sum(axis=0))


def rosenbrock(*x: Array) -> Array:
    """The curved valley in four dimensions (Rosenbrock 1960)."""
    here, after = np.asarray(x[:-1]), np.asarray(x[1:])
    return np.sum(100 * (after - here**2) ** 2 + (1 - here) ** 2, axis=0)


def branin(x: Array, y: Array) -> Array:
    """The surface with three minima (Branin 1972)."""
    valley = y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6
    return np.asarray(valley**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10)


WING = (
    (150, 220, 6, -10, 16, 0.5, 0.08, 2.5, 1700, 0.025),
    (200, 300, 10, 10, 45, 1, 0.18, 6, 2500, 0.08),
)

# borehole: Harper and Gupta 1983; OTL circuit: Ben-Ari and Steinberg 2007, both on the unit cube;
# Ishigami: Ishigami and Homma 1990; Franke 1979
FUNCTIONS = {
    "sinc": Function(np.sinc, [-3], [3]),
    "Ishigami": Function(ishigami, [-np.pi] * 3, [np.pi] * 3),
    "Friedman 1": Function(friedman1, [0] * 10, [1] * 10),
    "borehole": Function(borehole, [0] * 8, [1] * 8),
    "robot arm": Function(robot_arm, [0] * 8, [1] * 8),
    "wing weight": Function(wing_weight, *WING),
    "OTL circuit": Function(circuit, [0] * 6, [1] * 6),
    "Rosenbrock": Function(rosenbrock, [-2] * 4, [2] * 4),
    "Branin": Function(branin, [-5, 0], [10, 15]),
    "Franke": Function(franke, [0] * 2, [1] * 2),
}
