"""Sums by segments: the same bits from memory, from blocks of any sizes, and from several runs."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import segments
from batchprop.engines.fused.gauss_newton.gauss_newton_objective import (
    GAUSS_NEWTON_SUMS,
    GaussNewtonObjective,
)
from batchprop.engines.fused.objective import GRADIENT_SUMS, Objective
from batchprop.engines.fused.segment_sums import SegmentSums, add_sums
from batchprop.engines.fused.summed_objective import SummedObjective
from batchprop.engines.loss_scale import scales
from batchprop.engines.portions import SegmentRange, taken
from batchprop.engines.samples import Samples
from batchprop.engines.vectorized import ArrayGaussNewtonObjective
from batchprop.scaling import Scaling
from batchprop.segments import SegmentTree
from batchprop.threads.cancellation import Cancellation, Cancelled
from tests.engines.fused.teams import force
from tests.problems import problem, relative_error

SEGMENT = 640
SIZES = [SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT - 7, 4 * SEGMENT, 5 * SEGMENT + 130]


class Blocks:
    """Samples in blocks of random sizes, some of them empty."""

    def __init__(self, samples, seed=0, largest=900):
        rng = np.random.default_rng(seed)
        count = samples.X.shape[1]
        sizes = rng.integers(0, rng.integers(2, largest), size=count)
        bounds = np.minimum(np.cumsum(sizes), count)
        self.bounds = [0, *bounds[: np.searchsorted(bounds, count) + 1], count]
        self.samples, self.n_open = samples, 0

    def read(self):
        X, T, weight, _ = self.samples
        self.n_open += 1
        try:
            for a, b in zip(self.bounds[:-1], self.bounds[1:], strict=True):
                yield Samples(X[:, a:b], T[:, a:b], None if weight is None else weight[a:b])
        finally:
            self.n_open -= 1


def parts(samples, run):
    X, T, weight, _ = samples
    a, b = run.first_sample, run.stop_sample
    return Samples(X[:, a:b], T[:, a:b], None if weight is None else weight[a:b])


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", SEGMENT)
    force(monkeypatch, chunk_samples=50)


def data_of(n_samples, dtype="float64", sizes=(3, 5, 2), scaled=True, weighted=True):
    data = problem(*sizes, n_samples, dtype=dtype, weighted=weighted)
    if weighted:
        data.weight[::7] = 0.0
    X = 3.0 * data.X + 1.0
    scaling = Scaling.of(X, data.T, data.weight) if scaled else None
    return data.network, Samples(X, data.T, data.weight, scaling)


def summed(network, samples, runs, sums=GRADIENT_SUMS, n_threads=1, seed=0, cancellation=None):
    """Return an objective on blocks, one ``SegmentSums`` for each run of segments."""
    count, shape = samples.X.shape[1], network.shape
    members = [
        SegmentSums(
            Blocks(parts(samples, run), seed), run, sums, shape, network.activation,
            network.dtype, samples.scaling, n_threads, cancellation,
        )
        for run in runs
    ]  # fmt: skip

    def total(theta, work):
        tree = SegmentTree(add_sums)
        for member in members:
            tree.extend(member.sums(theta, work))
        return tree.total()

    def close():
        for member in members:
            member.close()

    factors = scales(count, samples.sample_weight)
    return SummedObjective(
        total, shape, network.activation, count, factors, samples.scaling, 0.0, cancellation, close
    )


def runs_of(n_samples, *cuts):
    bounds = [0, *cuts, segments.n_segments(n_samples)]
    return [SegmentRange(n_samples, a, b) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


def evaluated(objective, theta):
    gradient = np.empty_like(theta)
    with objective as function:
        loss = function.loss_and_gradient(theta, gradient)
        reported = function.reported_loss
        assert function.loss(theta) == loss
        assert function.reported_loss == pytest.approx(reported, rel=1e-14)
    assert np.isfinite(gradient).all()
    return loss, gradient.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_samples", SIZES)
def test_the_same_bits_from_memory_and_from_blocks(n_samples, dtype):
    for sizes in ((1, 4, 1), (40, 9, 2)):
        network, samples = data_of(n_samples, dtype, sizes)
        arguments = samples, network.shape, network.activation, network.dtype
        expected = evaluated(Objective(*arguments, 1), network.theta)
        for n_threads in (2, 3):
            assert evaluated(Objective(*arguments, n_threads), network.theta) == expected
        for seed, cuts in enumerate(((), (1,), (1, 1, 2))):
            if max(cuts, default=0) <= segments.n_segments(n_samples):
                runs = runs_of(n_samples, *cuts)
                objective = summed(network, samples, runs, n_threads=1 + seed, seed=seed)
                assert evaluated(objective, network.theta) == expected, cuts


@pytest.mark.parametrize("n_samples", [SEGMENT + 1, 3 * SEGMENT - 7, 4 * SEGMENT])
def test_gauss_newton_has_the_same_bits(n_samples):
    network, samples = data_of(n_samples)
    theta, n = network.theta, network.theta.size
    points = np.stack((theta, theta + 0.1, theta - 0.1))
    results = []
    runs = runs_of(n_samples), runs_of(n_samples, 1)
    arguments = samples, network.shape, network.activation, network.dtype
    for objective in (
        *(GaussNewtonObjective(*arguments, n_threads) for n_threads in (1, 2)),
        *(summed(network, samples, run, GAUSS_NEWTON_SUMS, 2) for run in runs),
    ):
        gradient, JTJ, curvature = np.empty(n), np.empty((n, n)), np.empty(n)
        with objective as function:
            loss = function.gauss_newton(theta, gradient, JTJ)
            function.curvature(points, curvature)
            results.append((loss, gradient.tobytes(), JTJ.tobytes(), curvature.tobytes()))
    assert len(set(results)) == 1
    X, T = samples.scaling.apply(samples.X, samples.T, np.float64, samples.sample_weight)
    reference = ArrayGaussNewtonObjective(
        X, T, samples.sample_weight, network.shape, network.activation, np.float64
    )
    expected = np.empty((n, n))
    assert reference.gauss_newton(theta, gradient, expected) == pytest.approx(loss, rel=1e-12)
    assert relative_error(JTJ, expected) < 1e-12


def test_output_losses_are_those_of_the_objective_in_memory():
    network, samples = data_of(3 * SEGMENT, scaled=False)
    gradient = np.empty_like(network.theta)
    results = []
    arguments = samples, network.shape, network.activation, network.dtype
    for objective in (Objective(*arguments), summed(network, samples, runs_of(3 * SEGMENT))):
        with objective as function:
            function.loss_and_gradient(network.theta, gradient)
            assert function.output_losses(network.theta + 1.0) is None
            results.append(function.output_losses(network.theta).tobytes())
    assert results[0] == results[1]


@pytest.mark.parametrize("change", [-1, 1, 3 * SEGMENT])
def test_a_source_that_changes_is_refused(change):
    """Negative control: the samples of a later pass are more, or fewer."""
    network, samples = data_of(2 * SEGMENT)
    (run,) = runs_of(2 * SEGMENT + change)
    blocks = Blocks(samples)
    member = SegmentSums(
        blocks, run, GRADIENT_SUMS, network.shape, network.activation, network.dtype
    )
    with pytest.raises(ValueError, match="the same in every pass"):
        member.sums(network.theta, 0)
    member.close()
    assert blocks.n_open == 0


def test_a_cancelled_evaluation_closes_the_source():
    network, samples = data_of(4 * SEGMENT)
    cancellation = Cancellation(lambda: "interrupted")
    blocks = Blocks(samples)
    (run,) = runs_of(4 * SEGMENT)
    shape, activation, dtype = network.shape, network.activation, network.dtype
    member = SegmentSums(
        blocks, run, GRADIENT_SUMS, shape, activation, dtype, None, 2, cancellation
    )
    cancellation.cancel()
    with pytest.raises(Cancelled):
        member.sums(network.theta, 0)
    member.close()
    assert blocks.n_open == 0


def test_short_blocks_are_not_all_read_once_the_run_is_cancelled():
    """Several blocks are joined before anything is computed; each of them may be slow to read."""
    network, samples = data_of(SEGMENT)
    cancellation = Cancellation(lambda: "interrupted")
    n_read = 0

    class ShortBlocks:
        def read(self):
            nonlocal n_read
            for start in range(0, SEGMENT, 10):
                n_read += 1
                if n_read == 3:
                    cancellation.cancel()
                yield taken(samples, start, start + 10)

    member = SegmentSums(
        ShortBlocks(), SegmentRange.whole(SEGMENT), GRADIENT_SUMS, network.shape,
        network.activation, network.dtype, None, 1, cancellation,
    )  # fmt: skip
    with pytest.raises(Cancelled):
        member.sums(network.theta, 0)
    member.close()
    assert n_read == 3


def test_a_long_sum_is_close_to_that_of_one_segment(monkeypatch):
    """The tree changes the last bits only."""
    network, samples = data_of(5 * SEGMENT)
    arguments = samples, network.shape, network.activation, network.dtype
    gradients = []
    for size in (SEGMENT, 8 * SEGMENT):
        monkeypatch.setattr(segments, "SEGMENT_SAMPLES", size)
        gradients.append(np.empty_like(network.theta))
        with Objective(*arguments) as function:
            function.loss_and_gradient(network.theta, gradients[-1])
    assert relative_error(*gradients) < 1e-14
    assert gradients[0].tobytes() != gradients[1].tobytes()


def test_what_was_read_before_is_not_used_again():
    """A block stays packed from one evaluation to the next only where the samples are the same."""
    network, samples = data_of(20, weighted=False)
    blocks = Blocks(samples, largest=1000)
    sums = SegmentSums(
        blocks, SegmentRange.whole(20), GRADIENT_SUMS, network.shape, network.activation,
        network.dtype, samples.scaling, 1,
    )  # fmt: skip
    first = sums.sums(network.theta, 0)[0].value
    assert sums.sums(network.theta, 0)[0].value.tobytes() == first.tobytes()
    blocks.samples.T[:] += 1.0
    assert sums.sums(network.theta, 0)[0].value.tobytes() != first.tobytes()
    sums.close()
