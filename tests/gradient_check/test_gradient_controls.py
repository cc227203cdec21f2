"""Negative controls: the gradient check rejects every gradient that is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import check_gradient
from batchprop.activations import ACTIVATIONS
from batchprop.parameters import Blocks
from tests.problems import problem

BLOCKS = Blocks._fields
DTYPES = ("float64", "float32")
ALL = set(BLOCKS)


def backprop(network, X, T, weight, *, slope="same", transposed=False):
    """Loss and blocks of the gradient, in NumPy; with a wrong σ′ or W_y if asked for."""
    w = np.ones(X.shape[1], X.dtype) if weight is None else weight.astype(X.dtype)
    w = w / w.sum()
    Z = network.W_h @ X + network.b_h[:, np.newaxis]
    H, h, slopes = np.empty_like(Z), np.empty_like(Z), np.empty_like(Z)
    ACTIVATIONS[network.activation].sigma(Z, H)
    other = ACTIVATIONS[network.activation if slope == "same" else slope]
    other.sigma(Z, h)
    other.sigma_prime(h, slopes)
    R = network.W_y @ H + network.b_y[:, np.newaxis] - T
    delta_y = 2 * w * R
    delta_h = slopes * ((network.W_y if transposed else network.W_y.T) @ delta_y)
    loss = float((w * (R * R).sum(axis=0)).sum())
    return loss, [delta_h @ X.T, delta_h.sum(axis=1), delta_y @ H.T, delta_y.sum(axis=1)]


def scaled(factor_of, loss_too=False):
    """A gradient that is ``factor_of(network, X)`` times what it should be, and maybe a loss."""

    def wrong(network, X, T, weight):
        loss, blocks = backprop(network, X, T, weight)
        factor = factor_of(network, X)
        return loss * (factor if loss_too else 1), [block * factor for block in blocks]

    return wrong


def changed(name, change):
    """A gradient with one block replaced by ``change(block)``."""

    def wrong(network, X, T, weight):
        loss, blocks = backprop(network, X, T, weight)
        k = BLOCKS.index(name)
        blocks[k] = change(blocks[k].copy())
        return loss, blocks

    return wrong


def one_entry(change):
    def applied(block):
        block.flat[block.size // 2] = change(block.flat[block.size // 2])
        return block

    return applied


def swapped(network, X, T, weight):
    """The output layer's blocks where the hidden layer's belong."""
    loss, (dW_h, db_h, dW_y, db_y) = backprop(network, X, T, weight)
    return loss, np.concatenate([dW_y.ravel(), db_y, dW_h.ravel(), db_h])


def ignoring_weights(network, X, T, weight):
    return backprop(network, X, T, None)


# name: what is wrong, and the blocks that show it
CONTROLS = {
    "times 1.01": (scaled(lambda network, X: 1.01), ALL),
    "times 0.99": (scaled(lambda network, X: 0.99), ALL),
    "not divided by N": (scaled(lambda network, X: X.shape[1]), ALL),
    "2 missing": (scaled(lambda network, X: 0.5), ALL),
    "2/N missing": (scaled(lambda network, X: X.shape[1] / 2), ALL),
    "sign": (scaled(lambda network, X: -1), ALL),
    "σ′ of softplus": (lambda *a: backprop(*a, slope="softplus"), {"W_h", "b_h"}),
    "σ′ of identity": (lambda *a: backprop(*a, slope="identity"), {"W_h", "b_h"}),
    "blocks swapped": (swapped, ALL),
    **{f"{b} zeroed": (changed(b, np.zeros_like), {b}) for b in BLOCKS},
    **{f"{b} negated": (changed(b, np.negative), {b}) for b in BLOCKS},
    **{f"{b} reversed": (changed(b, lambda a: a.ravel()[::-1].reshape(a.shape)), {b})
       for b in ("W_h", "b_h")},
    **{f"entry of {b} times 1.01": (changed(b, one_entry(lambda x: x * 1.01)), {b})
       for b in BLOCKS},
    **{f"entry of {b} zero": (changed(b, one_entry(lambda x: 0 * x)), {b}) for b in BLOCKS},
    **{f"entry of {b} NaN": (changed(b, one_entry(lambda x: np.nan * x)), {b}) for b in BLOCKS},
}  # fmt: skip
# These are no errors where there is one output.
OF_MANY_OUTPUTS = {
    "mean over outputs": (scaled(lambda network, X: 1 / network.shape.n_outputs), ALL),
    "mean over outputs, loss too": (
        scaled(lambda network, X: 1 / network.shape.n_outputs, loss_too=True),
        ALL | {"loss"},
    ),
    "W_y transposed": (lambda *a: backprop(*a, transposed=True), {"W_h", "b_h"}),
}


def rejected(engine, wrong_blocks, data):
    report = check_gradient(*data[:3], engine=engine, sample_weight=data.weight)
    verdicts = {name: report.verdict(name) for name in ("loss", *BLOCKS)}
    assert not report.passed, str(report)
    assert not report
    assert {name for name in verdicts if verdicts[name] == "WRONG"} == wrong_blocks, str(report)
    assert set(verdicts.values()) <= {"ok", "WRONG"}, "all others are known to be right"
    return report


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("s", [1, 2, 3])
def test_the_controls_start_from_a_right_gradient(s, dtype):
    net, X, T, weight = problem(3, 5, s, 40, "tanh", dtype, weighted=True)
    report = check_gradient(net, X, T, engine=backprop, sample_weight=weight)
    assert report.passed, str(report)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("s", [1, 2, 3])
@pytest.mark.parametrize("control", CONTROLS)
def test_a_wrong_gradient_is_rejected(control, s, dtype):
    engine, wrong_blocks = CONTROLS[control]
    rejected(engine, wrong_blocks, problem(3, 5, s, 40, "tanh", dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("s", [2, 3])
@pytest.mark.parametrize("control", OF_MANY_OUTPUTS)
def test_errors_of_many_outputs_are_rejected(control, s, dtype):
    engine, wrong_blocks = OF_MANY_OUTPUTS[control]
    rejected(engine, wrong_blocks, problem(3, s, s, 40, "tanh", dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("s", [1, 2, 3])
def test_sample_weights_must_not_be_ignored(s, dtype):
    data = problem(3, 5, s, 40, "tanh", dtype, weighted=True)
    rejected(ignoring_weights, ALL | {"loss"}, data)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("slope", ACTIVATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_slope_of_any_other_activation_is_rejected(activation, slope, dtype):
    if slope == activation:
        return

    def wrong(network, X, T, weight):
        return backprop(network, X, T, weight, slope=slope)

    rejected(wrong, {"W_h", "b_h"}, problem(2, 6, 1, 50, activation, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("entry", range(15))
def test_any_single_entry_of_a_block_counts(entry, dtype):
    """The smallest entry too, though the block's norm hardly moves."""

    def wrong(network, X, T, weight):
        loss, blocks = backprop(network, X, T, weight)
        blocks[0].flat[entry] *= 1.01
        return loss, blocks

    report = rejected(wrong, {"W_h"}, problem(3, 5, 2, 40, "logistic", dtype))
    assert f"W_h[{entry // 3}, {entry % 3}] is" in str(report)


def test_a_loss_that_does_not_belong_to_the_gradient_is_rejected():
    """Both methods that look at the pair see it, also where the loss is right at θ itself."""
    data = problem()
    theta = data.network.theta.copy()

    def wrong(network, X, T, weight):
        loss, blocks = backprop(network, X, T, weight)
        return loss + 0.1 * (network.theta - theta)[0], blocks

    report = check_gradient(*data[:3], engine=wrong)
    assert not report.passed
    verdicts = {one.method: one.verdict for one in report.of("W_h")}
    assert verdicts == {"complex step": "ok", "finite differences": "WRONG"}


def test_the_report_says_what_is_wrong():
    report = rejected(CONTROLS["2 missing"][0], ALL, problem())
    assert "NOT PASSED" in str(report).splitlines()[0]
    assert "all of it is 0.5 times what is expected" in str(report)
    report = rejected(CONTROLS["entry of W_y NaN"][0], {"W_y"}, problem())
    assert "1 of 10 are not finite" in str(report)
    assert report.relative_errors["W_h"] < 1e-7
    assert report.relative_errors["W_y"] == float("inf")
