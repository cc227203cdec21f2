"""JᵀJ by the fused kernels: the same bits on any team, memory, and the task that solvers see."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.evaluation import evaluate_once
from batchprop.engines.fused.gauss_newton import gauss_newton_blocking as blocking
from batchprop.engines.fused.gauss_newton.assemble import gauss_newton_once
from batchprop.engines.fused.gauss_newton.gauss_newton_objective import GaussNewtonObjective
from batchprop.engines.fused.gauss_newton.row_product_layout import n_row_product_sums
from batchprop.engines.fused.problem import Scratch
from batchprop.engines.fused.task import LOSS
from batchprop.engines.samples import Samples
from batchprop.parameters import Shape
from batchprop.scaling import Scaling
from tests.engines.fused.teams import force
from tests.engines.fused.test_bounds import Guarded
from tests.problems import problem, relative_error

THREADS = (1, 2, 3, 4, 7, 16)


def objective_of(data, n_threads):
    net, X, T, weight = data
    return GaussNewtonObjective(
        Samples(X, T, weight), net.shape, net.activation, np.float64, n_threads
    )


def evaluated(data, n_threads):
    """Return JᵀJ, gradient and loss as bytes."""
    theta = data.network.theta.astype(np.float64)
    gradient, JTJ = np.full(theta.size, np.nan), np.full((theta.size, theta.size), np.nan)
    with objective_of(data, n_threads) as function:
        assert function.task.n_workers == n_threads - 1
        loss = function.gauss_newton(theta, gradient, JTJ)
        assert evaluate_once(function.task, LOSS) == loss == function.loss(theta)
        again = np.empty_like(gradient)
        assert function.loss_and_gradient(theta, again) == loss
        np.testing.assert_array_equal(again, gradient)
    assert np.isfinite(JTJ).all()
    return JTJ.tobytes() + gradient.tobytes() + np.float64(loss).tobytes()


def test_a_matrix_of_any_form():
    data = problem(2, 3, 1)
    theta = data.network.theta
    n, gradient = theta.size, np.empty_like(theta)
    whole = np.full((2 * n, 2 * n), 99.0)
    with objective_of(data, 1) as function:
        expected = np.empty((n, n))
        function.gauss_newton(theta, gradient, expected)
        for matrix in (whole[:n, ::2], np.empty((n, n), order="F"), np.empty((n, n), np.float32)):
            function.gauss_newton(theta, gradient, matrix)
            np.testing.assert_array_equal(matrix, expected.astype(matrix.dtype))
    assert (whole[n:] == 99).all()
    assert (whole[:, 1::2] == 99).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "sizes", [(1, 1, 1), (1, 7, 2), (3, 12, 1), (9, 5, 3), (20, 4, 1)], ids=str
)
def test_same_bits_on_any_number_of_threads(sizes, dtype, monkeypatch):
    force(monkeypatch)
    monkeypatch.setattr("batchprop.engines.fused.blocking.CHUNK_SAMPLES", 100)
    monkeypatch.setattr(blocking, "BLOCK_BYTES", 1)
    for n_samples in (1, 40, 127, 128, 129, 700, 1601):
        data = problem(*sizes, n_samples, "tanh", dtype, weighted=n_samples % 2 == 0)
        first = evaluated(data, 1)
        for n_threads in THREADS[1:]:
            assert evaluated(data, n_threads) == first, (n_samples, n_threads)


def test_same_bits_where_the_sums_are_shared_out(monkeypatch):
    force(monkeypatch)
    data = problem(8, 30, 2, 6001, weighted=True)  # 30,000 sums, slices of 4,096
    assert len({evaluated(data, n_threads) for n_threads in THREADS}) == 1


@pytest.mark.parametrize("sizes", [(8, 50, 1), (64, 32, 4), (90, 100, 1), (1, 200, 1)], ids=str)
def test_memory_is_a_few_matrices_and_does_not_grow_with_n(sizes):
    shape = Shape(*sizes)
    cuts = [blocking.choose_blocking(shape, n, np.dtype("f8")) for n in (10**5, 10**9)]
    for cut in cuts:
        sums = cut.n_chunks * (cut.n_row_products + shape.n_parameters + 1) * 8
        assert sums <= max(blocking.MOST_SUM_BYTES, 8 * 0.4 * 8 * shape.n_parameters**2)
        assert cut.n_chunks >= 8
        assert cut.row_product_size * 8 < 2**22
        # equal blocks: no larger than they may be, more than half as large, whatever N is
        largest = min(
            blocking.BLOCK_SAMPLES,
            blocking.BLOCK_BYTES // (8 * cut.row_product_size // cut.block_samples),
        )
        assert largest / 2 < cut.block_samples <= max(largest, 2 * cut.width)
    assert cuts[0].n_chunks == cuts[1].n_chunks


def test_number_of_sums_is_about_a_quarter_of_the_products():
    for sizes in ((8, 50, 1), (20, 60, 1)):
        P = Shape(*sizes).n_parameters
        assert 0.25 < n_row_product_sums(Shape(*sizes)) / P**2 < 0.36


def test_an_evaluation_allocates_nothing():
    data = problem(4, 10, 2, 3000)
    theta = data.network.theta.copy()
    gradient, JTJ = np.empty(theta.size), np.empty((theta.size, theta.size))
    with objective_of(data, 2) as function:
        function.gauss_newton(theta, gradient, JTJ)
        tracemalloc.start()
        for _ in range(20):
            function.gauss_newton(theta, gradient, JTJ)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20_000


@pytest.mark.parametrize(
    "sizes", [(1, 1, 1), (1, 2, 3), (2, 6, 1), (7, 13, 2), (19, 3, 1)], ids=str
)
def test_nothing_is_written_or_read_beside_an_array(sizes, monkeypatch):
    """Margins of NaN around all memory: they stay, and nothing of them comes into the results."""
    force(monkeypatch)
    monkeypatch.setattr("batchprop.engines.fused.blocking.CHUNK_SAMPLES", 100)
    for n_samples in (1, 33, 203):
        data = problem(*sizes, n_samples, weighted=n_samples == 33)
        theta, guarded = data.network.theta, Guarded()
        gradient, expected = np.empty_like(theta), np.empty((theta.size, theta.size))
        with objective_of(data, 1) as function:
            function.gauss_newton(theta, gradient, expected)
            fields = function.task.fields
            task = KernelStruct(
                fields._replace(
                    scratch=Scratch(*map(guarded, fields.scratch[:-1]), fields.scratch.token),
                    theta=guarded(theta),
                    **{
                        name: guarded(getattr(fields, name))
                        for name in ("gradient", "sums", "totals", "control")
                    },
                )
            )
            JTJ = guarded(np.full_like(expected, np.nan))
            gauss_newton_once(task, JTJ)
        np.testing.assert_array_equal(JTJ, expected)
        np.testing.assert_array_equal(task.gradient, gradient)
        guarded.check()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("e", [1, 3, 19])
def test_data_are_standardised_while_they_are_packed(e, dtype):
    net, X, T, weight = problem(e, 6, 2, 700, "softplus", dtype, weighted=True)
    X, T = 30 * X + 400, 0.01 * T - 2
    scaling = Scaling.of(X, T, weight)
    theta = net.theta.astype(np.float64)
    found = []
    for data, given in (((X, T), scaling), (scaling.apply(X, T, np.float64, weight), None)):
        gradient, JTJ = np.empty_like(theta), np.empty((theta.size, theta.size))
        samples = Samples(*data, weight, given)
        with GaussNewtonObjective(samples, net.shape, "softplus", np.float64, 2) as function:
            found.append((function.gauss_newton(theta, gradient, JTJ), gradient, JTJ))
    for one, two in zip(*found, strict=True):
        assert relative_error(one, two) < 1e-12
