"""One warning, which names rows and says what to do; none where there is nothing to say."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop.scaling import Scaling, warn


def scaling_of(*rows, targets=None):
    n_samples = 1000
    noise = np.random.default_rng(0).normal(size=(len(rows), n_samples))
    X = np.array([offset + scale * z for (offset, scale), z in zip(rows, noise, strict=True)])
    return Scaling.of(X, noise[:1] if targets is None else targets)


def message(scaling, dtype="float64"):
    with pytest.warns(UserWarning, match=r"\.$") as caught:
        warn(scaling, dtype, stacklevel=1)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    return str(caught[0].message)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ordinary_columns_need_no_word(dtype):
    ordinary = [(0, 1), (1000, 1), (1e-8, 1e-8), (1e8, 1e8), (101_325, 500), (1.7e9, 1e7)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn(scaling_of(*ordinary), dtype, stacklevel=1)
        warn(Scaling.identity(3, 2), dtype, stacklevel=1)
        warn(scaling_of((1e8, 1), (1e12, 1)), "float64", stacklevel=1)


def test_a_constant_input():
    text = message(scaling_of((0, 1), (5, 1e-16)))
    assert text == (
        "Constant, or so to rounding, and therefore ignored (weight 0): "
        "row 1 of X (column 1 of a table with samples as rows)."
    )


def test_several_constant_inputs():
    text = message(scaling_of((0, 0), (0, 1), (3, 0)))
    assert "rows 0, 2 of X (columns 0, 2 of a table with samples as rows)" in text


def test_many_are_counted():
    assert "rows 0, 1, 2, 3, 4, 5, 6, 7 and 12 more of X" in message(scaling_of(*[(1, 0)] * 20))


def test_a_constant_target():
    text = message(scaling_of((0, 1), targets=np.ones((1, 1000))))
    assert "by b_y alone: row 0 of T" in text
    assert " X " not in text


def test_a_mean_that_float32_cannot_carry():
    scaling = scaling_of((0, 1), (1e8, 1))
    text = message(scaling, "float32")
    assert "row 1 of X" in text
    assert "float32 network" in text
    assert 'Use dtype="float64", or subtract' in text


def test_a_target_that_float32_cannot_carry():
    targets = 1e8 + np.random.default_rng(0).normal(size=(2, 1000))
    text = message(scaling_of((0, 1), targets=targets), "float32")
    assert "rows 0, 1 of T" in text


def test_all_is_said_in_one_warning():
    text = message(scaling_of((1, 0), (1e8, 1), targets=np.zeros((1, 1000))), "float32")
    for part in ("row 0 of X", "row 0 of T", "row 1 of X"):
        assert part in text


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_deviations_that_weights_cannot_follow(dtype):
    largest = float(np.finfo(dtype).max)
    use = 'Use dtype="float64", or s' if dtype == "float32" else "S"
    noise = np.random.default_rng(0).normal(size=(1, 1000))
    noise /= noise.std()
    small, large = scaling_of((0, 40 / largest)), scaling_of((0, 1), targets=largest / 30 * noise)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn(small, dtype, stacklevel=1)
        warn(scaling_of((0, 1), targets=largest / 40 * noise), dtype, stacklevel=1)
    text = message(scaling_of((0, 20 / largest)), dtype)
    assert "The deviation of row 0 of X" in text
    assert f"so small that a {dtype} network" in text
    assert f"{use}cale such data up first." in text
    text = message(large, dtype)
    assert "The deviation of row 0 of T" in text
    assert f"so large that a {dtype} network" in text
    assert f"{use}cale such data down first." in text
