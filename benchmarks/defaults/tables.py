"""Tables with noise, made from a seed: one function for each kind.  X (N, e) and T (N, s).

Each kind is something that real tables have and that smooth test functions lack.  The numbers in
the functions (slopes, thresholds, shares of noise) were chosen once, before any model was run.
"""

from __future__ import annotations

import numpy as np

from benchmarks.data import Array

Samples = tuple[Array, Array]


def incomes(n: int = 1000, seed: int = 1) -> Samples:
    """Heavy-tailed columns in currency units, such as income, wealth and debt.

    Four columns are log-normal with standard deviations of 1 to 1.5 of the logarithm, two are
    ages and shares, two are irrelevant. The target, a yearly spending, is heavy-tailed too: a
    product of powers of the columns with log-normal noise of 20 %.
    """
    rng = np.random.default_rng(seed)
    income, wealth, debt, rent = np.exp(rng.normal(size=(4, n)) * [[1.0], [1.5], [1.2], [1.0]])
    age, share = rng.uniform(20, 80, n), rng.uniform(0, 1, n)
    irrelevant = np.exp(rng.normal(size=(2, n)))
    spending = income**0.7 * (1 + wealth) ** 0.15 / (1 + debt) ** 0.1 * (1 + 0.5 * share)
    spending *= np.exp(0.2 * rng.normal(size=n)) * (1 + 0.3 * np.sin(age / 15))
    currency = np.array([3e4, 1e5, 1e4, 9e3])[:, None] * [income, wealth, debt, rent]
    X = np.column_stack((*currency, age, share, *irrelevant))
    return X, 2e4 * spending[:, None]


def counts(n: int = 600, seed: int = 2) -> Samples:
    """Small whole numbers as inputs and as the target.

    The target is Poisson distributed. Its rate is the exponential of a smooth function, so that
    the noise grows with the mean.
    """
    rng = np.random.default_rng(seed)
    X = rng.poisson([1.0, 2.0, 3.0, 5.0, 0.5, 2.0], (n, 6)).astype(float)
    a, b, c, d = X[:, :4].T
    rate = np.exp(0.8 + 0.25 * a - 0.15 * b + 0.5 * np.sin(c / 2) + 0.1 * d)
    return X, rng.poisson(rate).astype(float)[:, None]


def steps(n: int = 800, seed: int = 3) -> Samples:
    """A function that is constant between thresholds, in six inputs of which four are relevant.

    The noise has a fifth of the standard deviation of the function.
    """
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n, 6))
    a, b, c, d = X[:, :4].T
    levels = 3.0 * (a > 0.6) + 2.0 * (b > 0.3) * (c > 0.5) - 1.5 * (a < 0.2) * (d > 0.7)
    levels += np.floor(4 * d) / 2
    return X, (levels + 0.2 * levels.std() * rng.normal(size=n))[:, None]


def several_outputs(n: int = 60, seed: int = 4) -> Samples:
    """Few rows, eight inputs, four outputs that share three smooth features.

    The outputs have different units, from hundredths to thousands, and noise of a tenth to a half
    of their standard deviation.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8))
    features = np.tanh(X @ rng.normal(size=(8, 3)) / 2)
    T = features @ rng.normal(size=(3, 4))
    T += np.array([0.1, 0.2, 0.3, 0.5]) * T.std(axis=0) * rng.normal(size=T.shape)
    return X, np.array([1e-2, 1.0, 30.0, 1e3]) * T


def useless_columns(n: int = 300, seed: int = 5, e: int = 60) -> Samples:
    """Sixty columns, of which four are relevant; the noise is a third of the standard deviation."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, e))
    values = X[:, 0] + np.sin(2 * X[:, 1]) + 0.5 * X[:, 2] ** 2 - X[:, 0] * X[:, 3]
    return X, (values + values.std() / 3 * rng.normal(size=n))[:, None]


def linear(n: int = 300, seed: int = 6) -> Samples:
    """A linear function of eight correlated columns; the noise has half its standard deviation."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) @ rng.normal(size=(3, 8)) + 0.5 * rng.normal(size=(n, 8))
    values = X @ rng.normal(size=8)
    return X, (values + 0.5 * values.std() * rng.normal(size=n))[:, None]


def noisy_sinc(n: int = 200, seed: int = 7) -> Samples:
    """One column: sin(πx)/(πx) on [-3, 3], noise with 30 % of its standard deviation."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-3, 3, (n, 1))
    curve = np.sinc(X)
    return X, curve + 0.3 * curve.std() * rng.normal(size=(n, 1))


def repeated_rows(n: int = 600, seed: int = 8, n_settings: int = 120) -> Samples:
    """Experiments at 120 settings, each of which occurs about five times.

    The target is a smooth function of the setting, plus a deviation that is the same whenever the
    setting occurs, plus noise. A left-out row usually has the inputs of a training row.
    """
    rng = np.random.default_rng(seed)
    settings = rng.uniform(-1, 1, (n_settings, 5))
    smooth = np.sin(3 * settings[:, 0]) + settings[:, 1] * settings[:, 2] + settings[:, 3]
    smooth += 0.3 * smooth.std() * rng.normal(size=n_settings)
    row = np.concatenate((np.arange(n_settings), rng.integers(0, n_settings, n - n_settings)))
    rng.shuffle(row)
    return settings[row], (smooth[row] + 0.1 * smooth.std() * rng.normal(size=n))[:, None]


def category_codes(n: int = 800, seed: int = 9) -> Samples:
    """Three columns of codes without an order, with 4, 8 and 15 levels, beside two measured ones.

    Each level has an effect of its own on the mean, and the first code has one on the slope as
    well. The codes are passed as they are, as numbers.
    """
    rng = np.random.default_rng(seed)
    levels = (4, 8, 15)
    codes = [rng.integers(0, count, n) for count in levels]
    effects = [rng.normal(size=count) for count in levels]
    x, z = rng.normal(size=(2, n))
    values = sum(effect[code] for effect, code in zip(effects, codes, strict=True))
    values = values + rng.normal(size=levels[0])[codes[0]] * x + np.sin(2 * z)
    T = values + 0.25 * values.std() * rng.normal(size=n)
    return np.column_stack((*codes, x, z)).astype(float), T[:, None]
