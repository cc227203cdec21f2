"""Addresses of kernels: cached by dtype, so that all tasks of a dtype must have one type."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.engines.fused.gauss_newton.gauss_newton_objective import GaussNewtonObjective
from batchprop.engines.fused.objective import Objective
from batchprop.engines.samples import Samples
from batchprop.scaling import Scaling
from tests.problems import problem

KINDS = [Objective, GaussNewtonObjective]


def task_of(kind, case, scaling=None, n_threads=None):
    network = case.network
    dtype = np.float64 if kind is GaussNewtonObjective else network.dtype
    samples = Samples(case.X, case.T, case.weight, scaling)
    with kind(samples, network.shape, network.activation, dtype, n_threads) as objective:
        return objective.task


@pytest.mark.parametrize("kind", KINDS)
def test_both_dtypes_have_kernels_of_their_own(kind):
    for name in ("chunk_kernel", "evaluation"):
        addresses = {
            getattr(task_of(kind, problem(dtype=dtype)), name) for dtype in ("f4", "f8", "f4")
        }
        assert len(addresses) == (1 if kind is GaussNewtonObjective else 2)
        assert np.all([address > 0 for address in addresses])


def test_only_the_gauss_newton_matrix_needs_row_products():
    plain, with_JTJ = (task_of(kind, problem()) for kind in KINDS)
    assert plain.problem.row_products == plain.assembly == 0
    assert min(with_JTJ.problem.row_products, with_JTJ.assembly) > 0
    assert plain.chunk_kernel == with_JTJ.chunk_kernel


def test_the_backward_pass_is_that_of_one_output_or_of_several():
    one, two, three = (task_of(Objective, problem(s=s)).problem.backward_kernel for s in (1, 2, 3))
    assert one != two == three


def test_only_large_networks_sum_in_strips():
    small, large = (task_of(Objective, problem(e, m)).problem for e, m in ((3, 5), (64, 100)))
    assert (small.sums_in_strips, small.strips_kernel) == (False, 0)
    assert large.sums_in_strips
    assert large.strips_kernel > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_all_tasks_of_a_dtype_have_one_type(kind, dtype):
    """Weights, scaling, sizes, segments and threads are values; kernels read all in one layout."""
    types = set()
    for e, m, s, n_samples in ((1, 3, 1, 20), (20, 100, 3, 3000)):
        for weighted in (False, True):
            case = problem(e, m, s, n_samples, dtype=dtype, weighted=weighted)
            for scaling in (None, Scaling.of(case.X, case.T, case.weight)):
                for n_threads in (1, 2):
                    task = task_of(kind, case, scaling, n_threads)
                    types.add(task._numba_type_)
    assert len(types) == 1
