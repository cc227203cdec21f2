"""The gradient check accepts what is right and says what it did."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import batchprop
from batchprop import Network, check_gradient, loss_and_gradient
from batchprop.activations import ACTIVATIONS
from batchprop.parameters import Blocks, split
from tests.problems import problem

BLOCKS = Blocks._fields
DTYPES = ("float64", "float32")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_every_engine_is_right(engine, activation, dtype):
    for s in (1, 2, 3):
        for weighted in (False, True):
            net, X, T, weight = problem(3, 4, s, 17, activation, dtype, weighted, seed=s)
            report = check_gradient(net, X, T, engine=engine, sample_weight=weight)
            assert report.passed, str(report)
            assert {one.verdict for one in report.comparisons} == {"ok"}, str(report)
            worst = max(report.relative_errors.values())
            assert worst < (1e-6 if dtype == "float64" else 1e-4)


@settings(max_examples=60)
@given(
    st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 3), st.integers(1, 40)),
    st.sampled_from(sorted(ACTIVATIONS)),
    st.sampled_from(DTYPES),
    st.sampled_from([1e-3, 1.0, 1e3]),
    st.sampled_from(["normal", "integer", "sparse", "repeated"]),
    st.booleans(),
    st.integers(0, 1000),
)
def test_a_right_gradient_is_never_called_wrong(
    sizes, activation, dtype, scale, kind, weighted, seed
):
    """Unscaled columns, samples on kinks, saturated units: not always judged, never condemned."""
    net, X, T, weight = problem(*sizes, activation, dtype, weighted, seed)
    rng = np.random.default_rng(seed)
    if kind == "integer":
        X = np.round(X)
    elif kind == "sparse":
        net.b_h[:] = 0
        X = X * (rng.random(X.shape) < 0.2)
    elif kind == "repeated":
        X = X[:, rng.integers(0, max(1, X.shape[1] // 4), X.shape[1])]
    report = check_gradient(
        net, X * scale, T, engine="vectorized", sample_weight=weight, n_probes=8
    )
    assert "WRONG" not in {one.verdict for one in report.comparisons}, str(report)
    if scale == 1 and kind == "normal" and X.shape[1] > 7:
        assert report.passed, str(report)


def test_the_report_holds_what_the_table_shows():
    net, X, T, _ = problem()
    report = check_gradient(net, X, T, engine="vectorized")
    assert list(report.relative_errors) == list(BLOCKS)
    assert set(report.relative_errors_by_method) == {"complex step", "finite differences"}
    for name in BLOCKS:
        by_method = [report.relative_errors_by_method[m][name] for m in
                     ("complex step", "finite differences")]  # fmt: skip
        assert report.relative_errors[name] == max(by_method)
        assert report.relative_errors[name] <= report.tolerances[name]
        assert report.floors[name] < report.tolerances[name] <= 1e-3
        assert report.verdict(name) == "ok"
    assert len(report.comparisons) == 2 + 2 * len(BLOCKS)
    assert report.passed
    assert bool(report)

    lines = str(report).splitlines()
    assert lines[0] == "Gradient check of engine 'vectorized': passed"
    assert "3-5-2, tanh, float64; 40 samples" in lines[1]
    rows = [line for line in lines if line.endswith("  ok")]
    assert [row.split()[0] for row in rows] == [one.block for one in report.comparisons]
    assert len({row.rindex("ok") for row in rows}) == 1, "the columns are aligned"
    assert all("15 entries" in row for row in rows if row.startswith("W_h"))


@pytest.mark.parametrize("form", ["Gradient", "flat", "blocks", "mapping", "float32"])
def test_a_function_may_return_its_gradient_in_any_form(form):
    net, X, T, weight = problem(weighted=True)

    def mine(network, X, T, sample_weight):
        loss, gradient = loss_and_gradient(
            network, X, T, engine="vectorized", sample_weight=sample_weight
        )
        blocks = split(gradient.theta, network.shape)
        forms = {
            "Gradient": gradient,
            "flat": gradient.theta,
            "blocks": tuple(blocks),
            "mapping": dict(zip(BLOCKS, blocks, strict=True)),
            "float32": gradient.theta.astype(np.float32),
        }
        return loss, forms[form]

    report = check_gradient(net, X, T, engine=mine, sample_weight=weight)
    assert report.passed, str(report)
    assert "function mine" in str(report)


def test_four_parameters_may_be_four_blocks_or_flat():
    net, X, T, _ = problem(1, 1, 1)

    def blocks(network, X, T, _):
        loss, gradient = loss_and_gradient(network, X, T, engine="vectorized")
        return loss, list(split(gradient.theta, network.shape))

    def flat(network, X, T, _):
        loss, gradient = loss_and_gradient(network, X, T, engine="vectorized")
        return loss, gradient.theta.tolist()

    assert check_gradient(net, X, T, engine=blocks).passed
    assert check_gradient(net, X, T, engine=flat).passed


@pytest.mark.parametrize(
    ("result", "error", "says"),
    [
        (3.0, TypeError, "must return the loss and the gradient"),
        ((np.zeros(3), np.zeros(32)), TypeError, "loss as one real number"),
        ((True, np.zeros(32)), TypeError, "loss as one real number"),
        ((1.0, np.zeros(31)), ValueError, "flat array of shape (32,)"),
        ((1.0, [np.zeros((3, 5)), np.zeros(5), np.zeros((2, 5)), np.zeros(2)]), ValueError,
         "gradient of W_h with shape (5, 3)"),
        ((1.0, np.zeros(32, complex)), TypeError, "real numbers"),
    ],
)  # fmt: skip
def test_a_function_that_returns_something_else_is_told_so(result, error, says):
    net, X, T, _ = problem()
    with pytest.raises(error) as raised:
        check_gradient(net, X, T, engine=lambda *arguments: result)
    assert says in str(raised.value)
    assert "got" in str(raised.value)


def test_a_function_cannot_change_what_is_checked():
    net, X, T, weight = problem(weighted=True)
    before = [array.copy() for array in (net.theta, X, T, weight)]

    def steps(network, X, T, sample_weight):
        loss, gradient = loss_and_gradient(
            network, X, T, engine="vectorized", sample_weight=sample_weight
        )
        network.theta[:] -= gradient.theta
        for array in (X, T, sample_weight):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
        return loss, gradient

    assert check_gradient(net, X, T, engine=steps, sample_weight=weight).passed
    for array, copy in zip((net.theta, X, T, weight), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("network_dtype", DTYPES)
@pytest.mark.parametrize("data_dtype", DTYPES)
def test_data_of_the_other_dtype(network_dtype, data_dtype):
    net, X, T, _ = problem(dtype=network_dtype)
    report = check_gradient(net, X.astype(data_dtype), T.astype(data_dtype), engine="vectorized")
    assert report.passed, str(report)
    assert f", {network_dtype};" in str(report)


def test_large_blocks_are_differenced_in_seeded_directions():
    net, X, T, _ = problem(6, 10, 2, 30)
    report = check_gradient(net, X, T, engine="vectorized", n_probes=12)
    checked = {one.block: one.checked for one in report.comparisons if "finite" in one.method}
    expected = {"W_h": "12 directions", "b_h": "10 entries", "W_y": "12 directions"}
    assert checked == expected | {"b_y": "2 entries"}
    assert report.passed, str(report)
    again = check_gradient(net, X, T, engine="vectorized", n_probes=12)
    other = check_gradient(net, X, T, engine="vectorized", n_probes=12, seed=1)
    assert report == again
    assert report != other


def test_more_samples_than_one_block_holds():
    net, X, T, weight = problem(2, 3, 1, 150_000, weighted=True)
    report = check_gradient(net, X, T, engine="vectorized", sample_weight=weight, n_probes=4)
    assert report.passed, str(report)
    assert max(report.relative_errors_by_method["complex step"].values()) < 1e-13


def test_memory_maps_and_either_memory_order(tmp_path):
    net, X, T, _ = problem()
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for same in (mapped, np.asfortranarray(X), X[::-1][::-1]):
        assert check_gradient(net, same, T, engine="vectorized").passed


def test_the_default_engine_is_the_fused_one():
    net, X, T, _ = problem()
    assert "'fused'" in str(check_gradient(net, X, T))
    assert isinstance(net, Network)
