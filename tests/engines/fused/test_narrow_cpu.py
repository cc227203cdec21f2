"""The kernels compiled for other processors than this one: other widths of vectors, no fma."""

from __future__ import annotations

import pytest

from tests.engines.fused.processes import finish, start
from tools.processors import CPUS

PROGRAM = """
import sys
import numpy as np
from batchprop import gauss_newton, loss_and_gradient
from batchprop.activations import ACTIVATIONS
from batchprop.engines.fused import blocking
from batchprop.simd import vectors
from batchprop.threads.cancellation import leader_token
from batchprop.linalg.cholesky import WORK, factor_and_solve, matrix_memory
from batchprop.compiler.kernel_struct import KernelStruct
from tests.problems import problem, relative_error, relative_errors
from tools.sigma_accuracy import BOUNDS, worst

bits, fma = sys.argv[1:]
assert (vectors.REGISTER_BITS, vectors.HAS_FMA) == (int(bits), fma == "True")

for dtype, tolerance in (("float32", 2e-5), ("float64", 1e-12)):
    for name, bound in BOUNDS.items():
        seen = worst(name, dtype, 20_000)
        assert seen.sigma <= bound.sigma, (name, dtype, seen)
        assert seen.slope <= bound.slope, (name, dtype, seen)

    def check(*sizes, activation="softplus", n_threads=None):
        net, X, T, weight = problem(*sizes, activation, dtype, weighted=sizes[-1] % 2 == 0)
        given, found = loss_and_gradient(
            net, np.asfortranarray(X), T, sample_weight=weight, n_threads=n_threads
        )
        loss, expected = loss_and_gradient(
            net.astype("float64"), X, T, sample_weight=weight, engine="vectorized"
        )
        # residuals are differences: their errors are relative to the targets
        error = abs(given**0.5 - loss**0.5)
        assert error <= tolerance * np.abs(T).max(), (sizes, activation, dtype)
        errors = relative_errors(found.theta, expected.theta, net.shape)
        assert max(errors.values()) < tolerance, (sizes, activation, dtype, errors)
        outputs = net.predict(X, n_threads=n_threads)
        assert relative_error(outputs, net.predict(X, engine="vectorized")) < tolerance
        return given, found.theta.tobytes()

    for activation in ACTIVATIONS:
        check(3, 5, 2, 65, activation=activation)
    for strips_from, packed_from in ((96, 1 << 14), (1, 0)):
        blocking.STRIPS_FROM_UNITS, blocking.PACKED_FROM_BYTES = strips_from, packed_from
        for e in (1, 4, 9, 16, 40):
            for m in (1, 4, 7):
                for s in (1, 3):
                    for n_samples in (1, 8, 17, 130):
                        check(e, m, s, n_samples)
    assert len({check(9, 30, 2, 9_001, n_threads=n) for n in (1, 3, 4)}) == 1
for sizes in ((1, 1, 1), (1, 7, 2), (5, 6, 1), (9, 13, 3)):
    for n_samples in (1, 17, 700):
        net, X, T, weight = problem(*sizes, n_samples, "softplus", weighted=True)
        expected = gauss_newton(net, X, T, sample_weight=weight, engine="vectorized")
        found = gauss_newton(net, X, T, sample_weight=weight)
        assert relative_error(found.JTJ, expected.JTJ) < 1e-13, (sizes, n_samples)
        n = net.theta.size
        A, x = matrix_memory(n), np.ones(n)
        A[:n, :n] = expected.JTJ + np.eye(n)
        assert factor_and_solve(A, n, x, np.zeros(WORK), KernelStruct(leader_token(None))) > 0
        assert relative_error((expected.JTJ + np.eye(n)) @ x, np.ones(n)) < 1e-12
print("right")
"""


def test_there_is_something_to_try():
    assert CPUS


@pytest.fixture(scope="module")
def programs():
    """Start one program for each processor, all at once."""
    return {cpu: start(PROGRAM, cpu.bits, cpu.fma, **cpu.variables) for cpu in CPUS}


@pytest.mark.parametrize("cpu", CPUS, ids=lambda cpu: cpu.name)
def test_another_processor(cpu, programs):
    assert finish(programs[cpu], 300) == "right\n"
