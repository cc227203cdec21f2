"""Functions to learn, as defined in the literature: X (N, e) and T (N, s) from a seed.

Friedman's three functions (Friedman 1991, Breiman 1996) with their usual noise, Rosenbrock's and
Branin's surfaces, and the position of a two-joint robot arm (MacKay 1992).
"""

from __future__ import annotations

import numpy as np

from benchmarks.data import Array

Samples = tuple[Array, Array]


def friedman1(n: int, seed: int = 1, noise: float = 1.0) -> Samples:
    """Ten inputs, of which five are relevant."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n, 10))
    a, b, c, d, e = X[:, :5].T
    T = 10 * np.sin(np.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e
    return X, (T + noise * rng.normal(size=n))[:, None]


def _circuit(n: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return inputs, resistance and reactance of Friedman's circuit."""
    least = np.array([0.0, 40 * np.pi, 0.0, 1.0])
    most = np.array([100.0, 560 * np.pi, 1.0, 11.0])
    X = rng.uniform(least, most, (n, 4))
    return X, X[:, 0], X[:, 1] * X[:, 2] - 1 / (X[:, 1] * X[:, 3])


def friedman2(n: int, seed: int = 2, noise: float = 125.0) -> Samples:
    """The circuit's impedance."""
    rng = np.random.default_rng(seed)
    X, resistance, reactance = _circuit(n, rng)
    return X, (np.hypot(resistance, reactance) + noise * rng.normal(size=n))[:, None]


def friedman3(n: int, seed: int = 3, noise: float = 0.1) -> Samples:
    """The circuit's phase, steep where the resistance is small."""
    rng = np.random.default_rng(seed)
    X, resistance, reactance = _circuit(n, rng)
    return X, (np.arctan2(reactance, resistance) + noise * rng.normal(size=n))[:, None]


def sinc(n: int, seed: int = 4) -> Samples:
    """sin(10x)/(10x) on [-1, 1], without noise."""
    X = np.random.default_rng(seed).uniform(-1, 1, (n, 1))
    return X, np.sinc(10 * X / np.pi)


def rosenbrock(n: int, seed: int = 5) -> Samples:
    """The curved valley on [-2, 2]², without noise."""
    X = np.random.default_rng(seed).uniform(-2, 2, (n, 2))
    return X, ((1 - X[:, 0]) ** 2 + 100 * (X[:, 1] - X[:, 0] ** 2) ** 2)[:, None]


def branin(n: int, seed: int = 6) -> Samples:
    """The surface with three minima on [-5, 10] × [0, 15], without noise."""
    X = np.random.default_rng(seed).uniform((-5, 0), (10, 15), (n, 2))
    x, y = X.T
    valley = y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6
    return X, (valley**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10)[:, None]


def robot_arm(n: int, seed: int = 7, noise: float = 0.05) -> Samples:
    """The position of the end of a two-joint arm: two outputs."""
    rng = np.random.default_rng(seed)
    shoulder = rng.uniform(-1.932, 1.932, n)
    elbow = rng.uniform(0.534, 3.142, n)
    T = [
        2.0 * np.cos(shoulder) + 1.3 * np.cos(shoulder + elbow),
        2.0 * np.sin(shoulder) + 1.3 * np.sin(shoulder + elbow),
    ]
    return np.column_stack((shoulder, elbow)), np.transpose(T) + noise * rng.normal(size=(n, 2))


def sine(n: int, seed: int = 8, noise: float = 0.1) -> Samples:
    """One and a half periods of a sine, with noise."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (n, 1))
    return X, np.sin(1.5 * np.pi * X) + noise * rng.normal(size=(n, 1))


def wide(n: int, seed: int = 9, e: int = 100, noise: float = 1.0) -> Samples:
    """Many inputs, few of them relevant; half of the variance is noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, e))
    T = X[:, 0] - X[:, 1] * X[:, 2] + np.tanh(2 * X[:, 3])
    return X, (T + noise * np.std(T) * rng.normal(size=n))[:, None]


def several(n: int, seed: int = 10, noise: float = 0.1) -> Samples:
    """Five outputs of six inputs, each a sum of a few waves."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6))
    waves = np.sin(X @ rng.normal(size=(6, 8)) + rng.uniform(0, 2 * np.pi, 8))
    return X, waves @ rng.normal(size=(8, 5)) / 2 + noise * rng.normal(size=(n, 5))
