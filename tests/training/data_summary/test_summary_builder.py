"""Samples in pieces of any size, in any order and number of places, have the bits of memory."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from batchprop import segments
from batchprop.engines.loss_scale import total_weight
from batchprop.engines.samples import Samples
from batchprop.scaling import Scaling, moments, standard_deviations
from batchprop.training import candidates
from batchprop.training.candidates import candidates_of
from batchprop.training.checkpoint import fingerprint
from batchprop.training.data_summary.second_pass import SecondPass
from batchprop.training.data_summary.summary import merged
from batchprop.training.data_summary.summary_builder import SummaryBuilder
from batchprop.training.weight_statistics import weight_unit

SEGMENT = 700  # and blocks of 100 samples and fewer


@pytest.fixture(autouse=True)
def small_segments(monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", SEGMENT)
    monkeypatch.setattr(moments, "_BLOCK", 300)
    monkeypatch.setattr(moments, "_MIN_SAMPLES", 64)
    monkeypatch.setattr(candidates, "MAX_CANDIDATES", 128)


def random_samples(rng, n_samples, dtype="f8", weights=None, e=3, s=2):
    X = (1e3 + rng.normal(size=(e, n_samples))).astype(dtype)
    T = rng.normal(size=(s, n_samples)).astype(dtype)
    w = None
    if weights == "zeros":
        w = rng.integers(0, 3, n_samples).astype(float)
        w[n_samples // 4 : n_samples // 2] = 0.0  # a whole segment, perhaps
        w[0] = 0.0
        w[-1] = 2.0
    elif weights == "relative":
        w = rng.uniform(size=n_samples)
    return Samples(X, T, w)


def pieces(samples, rng, start, stop, most=400):
    """Yield random pieces of the samples from start to stop; some are empty."""
    X, T, w, _ = samples
    while start < stop:
        end = min(start + int(rng.integers(0, most)), stop)
        part = slice(start, end)
        yield Samples(X[:, part], T[:, part], None if w is None else w[part])
        start = end


def summary_of(samples, rng, n_places=1, most=400, **options):
    """Summarise random pieces in several places; merge their summaries in any order."""
    n_samples = samples.X.shape[1]
    n = segments.n_segments(n_samples)
    inner = rng.integers(0, n + 1, n_places - 1)
    borders = sorted([0, *inner, n])
    nodes, second = [], []
    for start, stop in zip(borders[:-1], borders[1:], strict=True):
        builder = SummaryBuilder(start, thinned=True, **options)
        run = start * SEGMENT, min(stop * SEGMENT, n_samples)
        for piece in pieces(samples, rng, *run, most):
            builder.add(piece)
        nodes += pickle.loads(pickle.dumps(builder.summaries()))
    rng.shuffle(nodes)
    summary = merged(nodes, options.get("names", (..., ..., "sample_weight"))[2])
    if summary.rescaling is None:
        return summary
    for start, stop in zip(borders[:-1], borders[1:], strict=True):
        builder = SecondPass(summary.rescaling, start)
        for piece in pieces(samples, rng, start * SEGMENT, min(stop * SEGMENT, n_samples), most):
            builder.add(piece)
        second += pickle.loads(pickle.dumps(builder.moments()))
    rng.shuffle(second)
    return summary.rescaled_by(second)


def check_same(summary, samples):
    """Compare every number of a summary with those of the same samples in memory."""
    X, T, w, _ = samples
    for ours, expected in zip(summary.scaling, Scaling.of(X, T, w), strict=True):
        np.testing.assert_array_equal(ours, expected)
    np.testing.assert_array_equal(summary.target_std, standard_deviations(T, w))
    assert (summary.n_inputs, summary.n_samples) == X.shape
    assert (summary.n_outputs, summary.n_samples) == T.shape
    assert summary.dtypes == (X.dtype, T.dtype)
    assert summary.total_weight == total_weight(X.shape[1], w)
    assert summary.n_present == (X.shape[1] if w is None else np.count_nonzero(w))
    assert summary.weight_unit == weight_unit(w)
    for other in (summary.scaling, Scaling.of(X, T + np.arange(T.shape[1]) / 7)):
        constants = other._replace(t_factor=np.where([True, *[False] * (len(T) - 1)], 0.0, 1.0))
        assert summary.constant_loss(constants) == constants.constant_loss(T, w)
        assert summary.constant_loss(other) == other.constant_loss(T, w)
    counted = T if w is None else T[:, w > 0]
    assert summary.largest_target == np.abs(counted).max()
    assert summary.is_weighted == (w is not None)
    arrays = {"X": X, "T": T, "sample_weight": w}
    assert summary.fingerprints() == fingerprint.of_arrays(arrays)
    training, indices = candidates_of(samples)
    ours = summary.candidates.samples
    np.testing.assert_array_equal(ours.X, training.X[:, indices])
    np.testing.assert_array_equal(ours.T, training.T[:, indices])
    if w is not None:
        np.testing.assert_array_equal(ours.sample_weight, w[indices])
    np.testing.assert_array_equal(summary.candidates.indices, np.arange(indices.size))


@pytest.mark.parametrize("weights", [None, "zeros", "relative"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("n_samples", [1, 99, 700, 701, 1400, 5000, 9157])
def test_pieces_have_the_bits_of_memory(n_samples, dtype, weights):
    rng = np.random.default_rng((n_samples, dtype == "f4", 7))
    samples = random_samples(rng, n_samples, dtype, weights)
    for n_places in (1, 2, 5):
        check_same(summary_of(samples, rng, n_places), samples)


@pytest.mark.parametrize("most", [2, 30, 20_000])
@pytest.mark.parametrize("weights", [None, "zeros"])
def test_the_sizes_of_pieces_do_not_matter(most, weights):
    rng = np.random.default_rng(most)
    samples = random_samples(rng, 3000, weights=weights)
    check_same(summary_of(samples, rng, 1, most), samples)


@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_memory_orders_do_not_matter(order):
    rng = np.random.default_rng(1)
    samples = random_samples(rng, 3000)
    X = np.asfortranarray(samples.X)
    if order == "strided":
        X = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]
    elif order == "C":
        X = np.ascontiguousarray(X)
    check_same(summary_of(samples._replace(X=X), rng, 2), samples)


@pytest.mark.parametrize("n_samples", [600, 4000])
def test_constant_rows_and_rows_that_nearly_are(n_samples):
    rng = np.random.default_rng(n_samples)
    samples = random_samples(rng, n_samples, weights="zeros", e=6, s=3)
    ulp = np.spacing(1e3)
    samples.X[0] = 7.25
    samples.X[1] = 1e3 + ulp * rng.integers(0, 17, n_samples)  # constant to rounding
    samples.X[2] = 1e3 + ulp * rng.integers(0, 40, n_samples)  # just not
    samples.X[3] = np.where(samples.sample_weight > 0, -3.0, rng.normal(size=n_samples))
    samples.T[1] = 0.1
    summary = summary_of(samples, rng, 3)
    check_same(summary, samples)
    np.testing.assert_array_equal(summary.scaling.x_factor == 0, [1, 1, 0, 1, 0, 0])
    np.testing.assert_array_equal(summary.has_one_value, [1, 0, 0, 1, 0, 0])
    assert summary.target_std[1] == 0.0


@pytest.mark.parametrize("weights", [None, "zeros"])
@pytest.mark.parametrize("n_samples", [300, 2500])
def test_huge_and_tiny_numbers_take_a_second_pass(n_samples, weights):
    rng = np.random.default_rng(n_samples)
    samples = random_samples(rng, n_samples, weights=weights, e=5)
    scales = np.array([1e200, 1e-300, 1.0, 1e160, 1e300])
    samples = samples._replace(X=rng.normal(size=(5, n_samples)) * scales[:, np.newaxis])
    summary = summary_of(samples, rng, 3)
    x, t = summary.rescaling
    assert t is None
    np.testing.assert_array_equal(x.rows, [0, 1, 3, 4])
    check_same(summary, samples)
    std = 1.0 / (summary.scaling.x_factor * scales)
    expected = np.sqrt(
        np.average((samples.X / scales[:, np.newaxis]) ** 2, axis=1, weights=samples.sample_weight)
    )
    np.testing.assert_allclose(std, expected, rtol=0.02)


def test_targets_take_a_second_pass_too():
    rng = np.random.default_rng(5)
    samples = random_samples(rng, 2000)
    samples.T[1] *= 1e250
    summary = summary_of(samples, rng, 2)
    assert summary.rescaling[0] is None
    check_same(summary, samples)


def test_moments_are_those_of_extended_precision():
    rng = np.random.default_rng(8)
    samples = random_samples(rng, 9000, weights="relative")
    summary = summary_of(samples, rng, 3)
    wide, w = samples.X.astype(np.longdouble), samples.sample_weight.astype(np.longdouble)
    mean = (wide * w).sum(axis=1) / w.sum()
    std = np.sqrt(((wide - mean[:, np.newaxis]) ** 2 * w).sum(axis=1) / w.sum())
    np.testing.assert_allclose(summary.scaling.x_mean, mean.astype(float), rtol=2e-16)
    np.testing.assert_allclose(1 / summary.scaling.x_factor, std.astype(float), rtol=1e-13)


def test_other_samples_have_another_summary():
    """The comparison of bits can fail: for one other number, and for a sample that is missing."""
    rng = np.random.default_rng(9)
    samples = random_samples(rng, 3000)
    other = samples._replace(X=samples.X.copy())
    other.X[1, 2048] += 1e-9
    with pytest.raises(AssertionError):
        check_same(summary_of(other, rng, 2), samples)
    fewer = Samples(samples.X[:, 1:], samples.T[:, 1:])
    with pytest.raises(AssertionError):
        check_same(summary_of(fewer, rng, 2), samples)


@pytest.mark.parametrize("n_samples", [700, 701])
def test_a_known_number_of_samples_changes_nothing(n_samples):
    rng = np.random.default_rng(n_samples)
    samples = random_samples(rng, n_samples)
    check_same(summary_of(samples, rng, n_samples=n_samples), samples)


def test_little_is_kept_of_many_samples():
    rng = np.random.default_rng(10)
    samples = random_samples(rng, 30_000)
    builder = SummaryBuilder(thinned=True)
    for piece in pieces(samples, rng, 0, 30_000):
        builder.add(piece)
    nodes = builder.summaries()
    assert len(nodes) <= 6 < segments.n_segments(30_000)
    thinned = nodes[0].value.thinned.samples()
    assert 32 <= thinned.X.shape[1] <= 200
    assert sum(len(pickle.dumps(node)) for node in nodes) < 30_000


@pytest.mark.parametrize("name", ["X", "T"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("sample", [0, 699, 700, 1999])
@pytest.mark.parametrize("weights", [None, "zeros"])
def test_the_first_number_that_is_not_finite_is_named(name, value, sample, weights):
    rng = np.random.default_rng(3)
    samples = random_samples(rng, 2000, weights=weights)
    getattr(samples, name)[1, sample] = value
    message = rf"^{name} must be finite; got {value} at {name}\[1, {sample}\]\. Remove or impute"
    for n_places in (1, 3):
        with pytest.raises(ValueError, match=message):
            summary_of(samples, rng, n_places)


def test_numbers_beyond_a_networks_range():
    rng = np.random.default_rng(3)
    samples = random_samples(rng, 900)
    samples.T[1, 880] = -1e39
    summary_of(samples, rng)
    with pytest.raises(ValueError, match=r"^T must stay within .*float32 network; got 1e\+39"):
        summary_of(samples, rng, dtype="float32")
    single = samples._replace(X=samples.X.astype("f4"))  # the network's dtype is that of X
    with pytest.raises(ValueError, match="^T must stay within"):
        summary_of(single, rng)


@pytest.mark.parametrize(
    ("index", "weight", "message"),
    [
        (801, -1.0, r"^w must be non-negative; got -1.0 at w\[801\]\. Use 0"),
        (801, np.nan, r"^w must be finite; got nan at w\[801\]"),
        (slice(None), 0.0, "^w must have a positive sum; got zeros only"),
        (slice(None), 2.0**-70, r"^w must have a largest value between .* Divide all weights"),
        (3, 2.0**61, r"^w must have a largest value between 2\^-60 and 2\^60; got 2.31e\+18"),
    ],
)
def test_weights_that_do_not_fit(index, weight, message):
    rng = np.random.default_rng(3)
    samples = random_samples(rng, 900, weights="relative")
    samples.sample_weight[index] = weight
    with pytest.raises(ValueError, match=message):
        summary_of(samples, rng, names=("X", "T", "w"))


@pytest.mark.parametrize("power", [-60, 59])
def test_weights_that_just_fit(power):
    rng = np.random.default_rng(3)
    samples = random_samples(rng, 900, weights="relative")
    samples.sample_weight[:] = 2.0**power
    check_same(summary_of(samples, rng), samples)


@pytest.mark.parametrize("sample", [0, 1300])
def test_weights_are_counts_only_if_all_of_them_are_whole(sample):
    rng = np.random.default_rng(3)
    samples = random_samples(rng, 1400, weights="zeros")
    samples.sample_weight[sample] = 2.5
    summary = summary_of(samples, rng, 2)
    check_same(summary, samples)
    assert summary.weight_unit != 1.0


@pytest.mark.parametrize("first", [False, True])
def test_weights_for_some_samples_only(first):
    rng = np.random.default_rng(3)
    parts = [random_samples(rng, 10, weights=weights) for weights in (None, "relative")]
    builder = SummaryBuilder()
    builder.add(parts[first])
    with pytest.raises(ValueError, match="^sample_weight must be there for all .* sample 10 on"):
        builder.add(parts[not first])


def test_segments_must_be_complete():
    rng = np.random.default_rng(3)
    with pytest.raises(ValueError, match="at least one sample"):
        merged([])
    later = SummaryBuilder(1)
    later.add(random_samples(rng, 10))
    first, short = SummaryBuilder(), SummaryBuilder()
    first.add(random_samples(rng, 1400))
    short.add(random_samples(rng, 650))
    with pytest.raises(ValueError, match="complete"):
        merged([*short.summaries(), *later.summaries()])
    with pytest.raises(ValueError, match="segment 2 must come next; got 1"):
        merged([*first.summaries(), *later.summaries()])
    with pytest.raises(ValueError, match="begin with segment 0"):
        merged(later.summaries())


def test_pieces_of_two_dtypes_are_a_table_of_the_wider_one():
    rng = np.random.default_rng(4)
    samples = random_samples(rng, 1500)
    samples.X[:, :800] = samples.X[:, :800].astype("f4")
    builder = SummaryBuilder()
    builder.add(Samples(samples.X[:, :800].astype("f4"), samples.T[:, :800]))
    builder.add(Samples(samples.X[:, 800:], samples.T[:, 800:]))
    summary = merged(builder.summaries())
    for ours, expected in zip(summary.scaling, Scaling.of(samples.X, samples.T), strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert summary.dtypes == (np.float64, np.float64)
