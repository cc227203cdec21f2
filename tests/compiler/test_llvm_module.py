"""What kernels and their parts are compiled with: divisions, references, the garbage collector."""

from __future__ import annotations

import gc
import math

import numpy as np
import pytest
from numba import types
from numba.core.errors import LoweringError

from batchprop.compiler.jit import (
    address,
    always_inlined,
    helper,
    kernel,
    never_inlined,
    returning,
    types_of,
)
from batchprop.compiler.llvm_module import _garbage_collection_disabled
from tests.engines.fused.processes import COUNT_COMPILATIONS, run


@returning(types.float64)
def quotient(a, b):
    return a / b


@helper
def write_quotient(a, b, out, place):
    out[place] = a / b


@always_inlined
def write_inlined(a, b, out, place):
    out[place] = a / b


@never_inlined
def write_apart(a, b, out, place):
    out[place] = a / b


@kernel
def quotients(a, b, out):
    out[0] = quotient(a, b)
    write_quotient(a, b, out, 1)
    write_inlined(a, b, out, 2)
    write_apart(a, b, out, 3)
    out[4] = a / b


@pytest.mark.parametrize(
    ("a", "b", "expected"), [(3.0, 2.0, 1.5), (1.0, 0.0, math.inf), (-1.0, 0.0, -math.inf)]
)
def test_divisions_are_the_processors(a, b, expected):
    """No part raises ZeroDivisionError: 1/0 is inf, and 0/0 NaN."""
    out = np.zeros(5)
    quotients(a, b, out)
    np.testing.assert_array_equal(out, expected)
    quotients(0.0, 0.0, out)
    assert np.isnan(out).all()


@kernel
def sums(a, out):
    total, product = 0.0, 1.0
    for i in range(a.size):
        total += a[i]
        product *= a[i]
    out[0], out[1] = total, product
    out[2] = 1.0 if total != total else 0.0
    out[3] = 1.0 if math.isfinite(total) else 0.0


def test_the_order_of_sums_is_the_one_written_down():
    rng = np.random.default_rng(0)
    out = np.zeros(4)
    for n in (1, 2, 7, 64, 1000):
        a = rng.normal(size=n) * 10.0 ** rng.integers(-8, 8, n)
        sums(a, out)
        total = 0.0
        for value in a:
            total += value
        assert out[0] == total
        assert out[3] == 1.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nan_and_inf_keep_their_meaning(bad):
    out = np.zeros(4)
    sums(np.array([1.0, bad, 2.0]), out)
    assert not math.isfinite(out[0])
    assert out[2] == float(math.isnan(bad))
    assert out[3] == 0.0


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_as_it_was_before(on):
    was_on = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        with _garbage_collection_disabled():
            assert not gc.isenabled()
        assert gc.isenabled() == on
        with pytest.raises(LookupError), _garbage_collection_disabled():
            raise LookupError
        assert gc.isenabled() == on
    finally:
        (gc.enable if was_on else gc.disable)()


def test_an_address_is_of_one_signature():
    out, a32, a64 = np.zeros(4), np.zeros(3, "f4"), np.zeros(3)
    types64, types32 = types_of(a64, out), types_of(a32, out)
    assert address(sums, types64) == address(sums, types64) != 0
    assert address(sums, types32) != address(sums, types64)


@kernel
def counts_by_nothing(n, out):
    for i in range(0, n, 0):
        out[0] += i


@kernel
def counts_down(n, out):
    for i in range(n, 0, -1):
        out[0] += i


@pytest.mark.parametrize("kernel", [counts_by_nothing, counts_down])
def test_a_range_counts_up(kernel):
    with pytest.raises(LoweringError, match="a range counts up"):
        kernel(3, np.zeros(1))


SUMMED = f"""{COUNT_COMPILATIONS}
import numpy as np
from tests.compiler.test_llvm_module import sums
sums(np.zeros(3), np.zeros(4))
print(counted() > 0)
"""


def test_a_kernel_is_kept_for_one_processor(tmp_path):
    """Another one may not have its instructions."""
    for name, compiled in ((None, "True"), (None, "False"), ("generic", "True"), (None, "False")):
        given = {"NUMBA_CPU_NAME": name, "NUMBA_CACHE_DIR": tmp_path}
        assert run(SUMMED, **given).strip() == compiled
