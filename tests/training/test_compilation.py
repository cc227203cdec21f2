"""What a second process is asked to compile is what a call needs."""

from __future__ import annotations

import json

import pytest

from tests.engines.fused.processes import run

# Prints what the second process would have been asked for, and what the call looked for.
ASKED = """
import contextlib, json, sys
from batchprop.compiler.kernel_cache import KernelCache
from batchprop.training import compilation
from tests.problems import problem
asked, perhaps, used = [], [], []
def name(kernel, types):
    return f"{kernel._cache._prefix.rsplit('-', 1)[0]} {types}"
@contextlib.contextmanager
def beside(kernels, has_room, others):
    asked.append([name(*kernel) for kernel in kernels])
    perhaps.append([name(*kernel) for kernel in others])
    yield
load = KernelCache.load_overload
def noted(cache, signature, context):
    used.append(f"{cache._prefix.rsplit('-', 1)[0]} {signature}")
    return load(cache, signature, context)
compilation.compiling_beside, KernelCache.load_overload = beside, noted
import batchprop
options = json.loads(sys.argv[1])
dtype, s, times = options.pop("dtype"), options.pop("s"), options.pop("times", 1)
data = problem(2, 3, s, 40, "tanh", dtype)
blocks = options.pop("blocks", False)
for _ in range(times):
    if blocks:
        batchprop.train(batchprop.Blocks([(data.X, data.T)]), dtype=dtype, max_epochs=2, **options)
        continue
    batchprop.train(data.X, data.T, dtype=dtype, max_epochs=2, seed=0, **options)
print(json.dumps([asked, perhaps, used]))
"""
SHORT = {"hidden_size": 3, "alpha": 0.0}
FIRST = {"dtype": "float64", "s": 1, "solver": "gd"}


def kernels(**options):
    return json.loads(run(ASKED, json.dumps(options)))


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "float64", "s": 1, "solver": "gd"},
        {"dtype": "float32", "s": 2, "solver": "adam"},
        {"dtype": "float32", "s": 3, "solver": "lbfgs"},
        {"dtype": "float32", "s": 1, "solver": "lm"},
        {"dtype": "float64", "s": 2, "solver": "lm"},
    ],
)
def test_exactly_what_a_call_needs(options):
    """The types are those of the call, or the kernel would be compiled once more."""
    (asked,), (perhaps,), used = kernels(**SHORT, **options)
    assert sorted(set(asked)) == sorted(set(used))
    assert len(set(asked)) == len(asked) >= 6
    assert not perhaps


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "float64", "s": 1},
        {"dtype": "float32", "s": 2},
        {"dtype": "float32", "s": 1, "solver": "adam"},
        {"dtype": "float64", "s": 1, "activation": "relu"},
        {"dtype": "float64", "s": 1, "alpha": "cv"},
    ],
)
def test_a_search_for_a_penalty(options):
    """A first evaluation of JᵀJ from Python is short and not worth a place in the list."""
    (asked,), (perhaps,), used = kernels(hidden_size=3, **options)
    short = {"assemble.gauss_newton_once"}
    assert {name.split()[0] for name in set(used) - {*asked, *perhaps}} <= short
    assert set(asked) <= set(used)
    assert bool(perhaps) == ("solver" not in options and "activation" not in options)


def test_what_is_wrong_here_does_not_end_a_call():
    program = ASKED.replace("import batchprop\n", "import batchprop\ncompilation.typed = None\n")
    assert json.loads(run(program, json.dumps(FIRST | SHORT)))[0] == []


def test_networks_of_several_kinds():
    """Each kernel is asked for once."""
    many = ASKED.replace(
        "batchprop.train(data.X, data.T,",
        'batchprop.train_many(data.X, data.T, [{"solver": "gd"}, {"solver": "lm"}],',
    )
    (asked,), _, used = json.loads(run(many, json.dumps({"dtype": "float64", "s": 1} | SHORT)))
    assert sorted(asked) == sorted(set(used))


def test_once_for_each_kind_of_run():
    assert len(kernels(dtype="float64", s=1, solver="gd", times=2, **SHORT)[0]) == 1


@pytest.mark.parametrize(
    "options", [{"engine": "vectorized"}, {"solver": "scipy"}, {"blocks": True}]
)
def test_nothing_that_a_call_does_not_need(options):
    asked, _, used = kernels(dtype="float64", s=1, **SHORT, **options)
    assert {name for names in asked for name in names} <= set(used)
    assert bool(asked) == ("solver" in options)
