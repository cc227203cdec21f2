"""Which samples a choice of penalty may draw from."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import segments
from batchprop.engines.samples import Samples
from batchprop.training import candidates
from batchprop.training.candidates import ThinnedSamples, candidates_of

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def small_segments(monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", 1000)
    monkeypatch.setattr(candidates, "MAX_CANDIDATES", 200)


def samples(n_samples, weight=None):
    return Samples(np.arange(n_samples)[np.newaxis] * 1.0, np.zeros((1, n_samples)), weight)


@pytest.mark.parametrize("n_samples", [1, 200, 201, 1000])
def test_all_samples_of_a_segment(n_samples):
    np.testing.assert_array_equal(candidates_of(samples(n_samples)).indices, np.arange(n_samples))


@pytest.mark.parametrize(
    ("n_samples", "halvings"),
    [(1001, 3), (1600, 3), (1601, 4), (3200, 4), (3201, 5), (100_000, 9)],
)
def test_a_part_of_more(n_samples, halvings):
    indices = candidates_of(samples(n_samples)).indices
    expected = n_samples / 2**halvings
    assert expected <= 200 < 2 * expected
    assert abs(indices.size - expected) < 5 * np.sqrt(expected)
    assert (np.diff(indices) > 0).all()
    assert indices[indices.size // 2] == pytest.approx(n_samples / 2, rel=0.2)  # from everywhere


def test_fewer_candidates_are_among_the_more():
    sets = [set(candidates_of(samples(n)).indices) for n in (1001, 2000, 9000, 50_000)]
    for smaller, larger in zip(sets[:-1], sets[1:], strict=True):
        assert {index for index in larger if index <= 1000} <= smaller


def test_samples_of_weight_0_are_none():
    weight = np.zeros(5000)
    weight[::50] = 1.0  # 100 samples
    np.testing.assert_array_equal(
        candidates_of(samples(5000, weight)).indices, np.arange(0, 5000, 50)
    )
    weight[::5] = 2.0  # 1000, three halvings
    indices = candidates_of(samples(5000, weight)).indices
    assert 60 < indices.size < 200
    assert (indices % 5 == 0).all()


@pytest.mark.parametrize("n_samples", [1, 500, 1000, 1001, 9000])
@pytest.mark.parametrize("weighted", [False, True])
def test_pieces_leave_the_same(n_samples, weighted):
    weight = RNG.integers(0, 3, n_samples).astype(float) if weighted else None
    if weighted:
        weight[-1] = 2.0
    data = samples(n_samples, weight)
    expected = candidates_of(data).indices
    runs = [slice(0, 1000 * (n_samples // 2000)), slice(1000 * (n_samples // 2000), n_samples)]
    thinned = []
    for run in runs:
        part = ThinnedSamples(may_be_all=run.start == 0)
        start = run.start
        while start < run.stop:
            stop = min(start + int(RNG.integers(1, 300)), run.stop)
            w = None if weight is None else weight[start:stop]
            part.add(Samples(data.X[:, start:stop], data.T[:, start:stop], w), start)
            start = stop
        if run.stop > run.start:
            thinned.append(part)
    ours = thinned[0] if len(thinned) == 1 else thinned[0].merged_with(thinned[1])
    np.testing.assert_array_equal(ours.samples().X[0], expected)
    if weighted:
        np.testing.assert_array_equal(ours.samples().sample_weight, weight[expected])


def test_what_is_kept_is_a_copy():
    data = samples(10)
    thinned = ThinnedSamples(may_be_all=True)
    thinned.add(data, 0)
    data.X[:] = -1.0
    np.testing.assert_array_equal(thinned.samples().X[0], np.arange(10.0))
