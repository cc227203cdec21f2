"""Twenty-six small problems: smooth functions, noisy tables, several outputs, difficult columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks.data import Array
from benchmarks.time_to_loss import surfaces

Samples = surfaces.Samples


class Problem(NamedTuple):
    """What is learnt, with how many hidden units, from how many samples."""

    name: str
    m: int
    n: int
    make: Callable[[int, int], Samples]  # arguments: number of samples, seed
    activation: str = "tanh"


def _function(
    e: int, values: Callable[..., object], least: float = -1.0, most: float = 1.0
) -> Callable[[int, int], Samples]:
    """Sample a function of e inputs uniformly from a cube; it has one output or several."""

    def make(n: int, seed: int) -> Samples:
        X = np.random.default_rng(seed).uniform(least, most, (n, e))
        return X, np.transpose(np.atleast_2d(np.asarray(values(*X.T))))

    return make


def noisy(make: Callable[[int, int], Samples], share: float) -> Callable[[int, int], Samples]:
    """Add noise with this fraction of the outputs' standard deviation."""

    def make_noisy(n: int, seed: int) -> Samples:
        X, T = make(n, seed)
        noise = np.random.default_rng((seed, 1)).normal(size=T.shape)
        return X, T + share * T.std(axis=0) * noise

    return make_noisy


def _surface(make: Callable[..., Samples], **options: float) -> Callable[[int, int], Samples]:
    return lambda n, seed: make(n, seed, **options)


def franke(x: Array, y: Array) -> Array:
    """Two hills, a slope and a dip on [0, 1]² (Franke 1979)."""
    x, y = 9 * x, 9 * y
    hills = 0.75 * np.exp(-((x - 2) ** 2 + (y - 2) ** 2) / 4)
    slope = 0.75 * np.exp(-((x + 1) ** 2) / 49 - (y + 1) / 10)
    hollow = 0.2 * np.exp(-((x - 4) ** 2) - (y - 7) ** 2)
    return hills + slope + 0.5 * np.exp(-((x - 7) ** 2 + (y - 3) ** 2) / 4) - hollow


def peaks(x: Array, y: Array) -> Array:
    """MATLAB's ``peaks`` on [-3, 3]²."""
    first = 3 * (1 - x) ** 2 * np.exp(-(x**2) - (y + 1) ** 2)
    second = 10 * (x / 5 - x**3 - y**5) * np.exp(-(x**2) - y**2)
    return first - second - np.exp(-((x + 1) ** 2) - y**2) / 3


def ishigami(x: Array, y: Array, z: Array) -> Array:
    return np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)


def circuit(a: Array, b: Array, f: Array, c1: Array, c2: Array, beta: Array) -> Array:
    """The midpoint voltage of an output transformerless circuit, inputs in [0, 1]⁶."""
    b1, b2, rf = 50 + 100 * a, 25 + 45 * b, 0.5 + 2.5 * f
    rc1, rc2, gain = 1.2 + 1.3 * c1, 0.25 + 0.95 * c2, (50 + 250 * beta)
    v = 12 * b2 / (b1 + b2) + 0.74
    denominator = gain * (rc2 + 9) + rf
    return (v * gain * (rc2 + 9) + 11.35 * rf + 0.74 * rf * gain * (rc2 + 9) / rc1) / denominator


def borehole(*u: Array) -> Array:
    """The flow of water through a borehole, inputs in [0, 1]⁸."""
    radius, reach, Tu, Hu, Tl, Hl, length, K = (
        low + (high - low) * part
        for part, low, high in zip(
            u,
            (0.05, 100, 63070, 990, 63.1, 700, 1120, 9855),
            (0.15, 50000, 115600, 1110, 116, 820, 1680, 12045),
            strict=True,
        )
    )
    ratio = np.log(reach / radius)
    drop = 1 + 2 * length * Tu / (ratio * radius**2 * K) + Tu / Tl
    return np.asarray(2 * np.pi * Tu * (Hu - Hl) / (ratio * drop))


def teacher(n: int, seed: int) -> Samples:
    """The outputs of a network of five tanh units, so that the loss can reach 0."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    H = np.tanh(X @ rng.normal(size=(2, 5)) + rng.normal(size=5))
    return X, H @ rng.normal(size=(5, 1))


def collinear(n: int, seed: int) -> Samples:
    """Five columns that depend on two: one is repeated, one is a sum, one is constant."""
    x, y = np.random.default_rng(seed).uniform(-1, 1, (2, n))
    X = np.column_stack((x, y, x, np.ones(n), x + y))
    return X, (np.sin(3 * x) * y)[:, None]


def three(a: Array, b: Array, c: Array, d: Array, e: Array) -> list[Array]:
    return [np.sin(2 * a + b), b * c + d, np.exp(e * a)]


def bump(x: Array, y: Array, z: Array) -> Array:
    return np.sin(3 * x * y + z)


def kink(x: Array, y: Array, z: Array) -> Array:
    return np.abs(x) + y * z


_SINC = _surface(surfaces.sinc)
PROBLEMS = [
    Problem("sinc", 10, 200, _SINC),
    Problem("sinc, 20 units", 20, 200, _SINC),
    Problem("sinc, logistic", 10, 200, _SINC, "logistic"),
    Problem("sinc, noisy", 10, 200, noisy(_SINC, 0.3)),
    Problem("steep step", 6, 200, _function(1, lambda x: np.tanh(20 * x) + 0.3 * x**2)),
    Problem("exponential", 6, 200, _function(1, lambda x: np.exp(2.5 * x))),
    Problem("waves", 12, 300, _function(1, lambda x: np.sin(9 * x) * np.exp(-x))),
    Problem("Friedman 1", 15, 500, _surface(surfaces.friedman1, noise=0.0)),
    Problem("Friedman 1, noisy", 10, 500, _surface(surfaces.friedman1)),
    Problem("Friedman 2", 15, 400, _surface(surfaces.friedman2, noise=0.0)),
    Problem("Friedman 2, noisy", 15, 400, _surface(surfaces.friedman2)),
    Problem("Friedman 3", 15, 400, _surface(surfaces.friedman3, noise=0.0)),
    Problem("Rosenbrock", 15, 400, _surface(surfaces.rosenbrock)),
    Problem("Branin", 15, 400, _surface(surfaces.branin)),
    Problem("robot arm", 12, 400, _surface(surfaces.robot_arm, noise=0.0)),
    Problem("robot arm, noisy", 12, 400, _surface(surfaces.robot_arm)),
    Problem("Franke", 20, 400, _function(2, franke, 0, 1)),
    Problem("peaks", 20, 500, _function(2, peaks, -3, 3)),
    Problem("Ishigami", 20, 600, _function(3, ishigami, -np.pi, np.pi)),
    Problem("three outputs", 20, 600, _function(5, three)),
    Problem("circuit", 15, 400, _function(6, circuit, 0, 1)),
    Problem("borehole", 20, 500, _function(8, borehole, 0, 1)),
    Problem("fewer samples than weights", 20, 50, _function(3, bump)),
    Problem("collinear columns", 10, 300, collinear),
    Problem("a network's outputs", 5, 300, teacher),
    Problem("kinks, noisy, relu", 15, 400, noisy(_function(3, kink), 0.3), "relu"),
]  # fmt: skip


def standardised(rows: Array) -> Array:
    """Return columns with mean 0 and standard deviation 1 as rows (…, N); constant ones are 0."""
    deviation = rows.std(axis=0)
    deviation[deviation < 1e-12] = np.inf
    return np.asarray(((rows - rows.mean(axis=0)) / deviation).T)
