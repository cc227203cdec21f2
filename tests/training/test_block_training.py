"""Training on blocks: every result has the bits of the same data in memory."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

from batchprop import Blocks, Checkpoint, segments, train
from batchprop.solvers.settings import RESUMABLE, SOLVERS
from tests.resumed import assert_same_run
from tests.same_results import assert_same

SEGMENT = 256
N = 3 * SEGMENT + 77
RNG = np.random.default_rng(5)
X = 4.0 + 3.0 * RNG.normal(size=(3, N))
T = np.stack((np.sin(X[0]) + X[1] * X[2], 100.0 + X[0] ** 2)) + 0.1 * RNG.normal(size=(2, N))
WEIGHT = RNG.integers(0, 4, N).astype(np.float64)
COMMON = {"hidden_size": 4, "max_epochs": 9}


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", SEGMENT)


def blocks_of(X, T, weight=None, seed=0):
    """Return the samples in blocks of random sizes, some of them empty."""
    sizes = np.random.default_rng(seed).integers(0, 300, size=X.shape[1])
    bounds = np.minimum(np.cumsum(sizes), X.shape[1])
    bounds = [0, *itertools.takewhile(lambda bound: bound < X.shape[1], bounds), X.shape[1]]
    return Blocks(
        [
            (X[:, a:b], T[:, a:b]) if weight is None else (X[:, a:b], T[:, a:b], weight[a:b])
            for a, b in itertools.pairwise(bounds)
        ]
    )


HELD_OUT = {"X_val": X[:, :300] + 0.5, "T_val": T[:, :300], "patience": 5}


@pytest.mark.parametrize("solver", [*SOLVERS, "auto"])
@pytest.mark.parametrize(
    "options",
    [
        {"alpha": 0.0},
        {"alpha": (0.01, 0.1), "weight": WEIGHT, "dtype": "float32"},
        {"scale": False, "activation": "relu", "alpha": 0.0, "learning_rate": 1e-6},
        {"alpha": 0.1, "weight": WEIGHT} | HELD_OUT,
    ],
    ids=["plain", "weighted", "unscaled", "validated"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_solver(solver, options):
    options = COMMON | {"solver": solver} | options
    weight = options.pop("weight", None)
    expected = train(X, T, sample_weight=weight, **options)
    for seed in range(2):
        result = train(blocks_of(X, T, weight, seed), **options, n_threads=1 + seed)
        assert_same(result, expected)


@pytest.mark.parametrize("weight", [None, WEIGHT, 0.3 * WEIGHT])
def test_the_penalty_is_chosen_alike(weight):
    options = {"hidden_size": 5, "max_epochs": 20}
    expected = train(X, T, sample_weight=weight, **options)
    result = train(blocks_of(X, T, weight), **options)
    assert expected.alpha_report is not None
    assert_same(result, expected)
    validated = options | HELD_OUT
    assert_same(train(blocks_of(X, T), **validated), train(X, T, **validated))


def test_starts_and_their_mean():
    options = COMMON | {"n_init": 3, "alpha": 0.1}
    for combine in ("best", "mean"):
        expected = train(X, T, combine=combine, **options)
        result = train(blocks_of(X, T), combine=combine, **options)
        assert_same(result, expected)
        for start, other in zip(result.starts, expected.starts, strict=True):
            assert_same(start, other)


def test_starts_read_one_after_another():
    """Several at a time would hold the blocks of several passes in memory."""
    passes = []

    class Source:
        def __len__(self):
            return 3

        def __getitem__(self, index):
            passes.append(index)
            return X[:, index::3], T[:, index::3]

    options = {"alpha": 0.0, "solver": "gd", "hidden_size": 3, "max_epochs": 20}
    train(Blocks(Source()), n_init=3, n_threads=3, **options)
    whole = passes[passes.index(2) - 2 :]
    assert whole == [0, 1, 2] * (len(whole) // 3)


@pytest.mark.parametrize("solver", RESUMABLE)
def test_a_run_goes_on_in_memory_and_back(solver, tmp_path):
    options = {"solver": solver, "alpha": 0.01, "hidden_size": 4}
    whole = train(X, T, sample_weight=WEIGHT, max_epochs=12, **options)
    blocks = blocks_of(X, T, WEIGHT)
    first = train(blocks, max_epochs=4, checkpoint=tmp_path / "run.npz", **options)
    second = train(
        X, T, sample_weight=WEIGHT, resume=tmp_path / "run.npz", max_epochs=5,
        checkpoint=tmp_path / "run.npz",
    )  # fmt: skip
    assert second.n_epochs == first.n_epochs + 5
    last = train(blocks_of(X, T, WEIGHT, 7), resume=tmp_path / "run.npz", max_epochs=3)
    assert_same_run(last, whole)


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_the_score_on_blocks(weight):
    result = train(X, T, **COMMON, alpha=0.0)
    expected = result.score(X, T, weight)
    assert result.score(blocks_of(X, T, weight)) == expected
    for arguments in ((T,), (None, WEIGHT)):
        with pytest.raises(TypeError, match="must be None where X is Blocks"):
            result.score(blocks_of(X, T), *arguments)
    with pytest.raises(TypeError, match="T must come with an array X"):
        result.score(X)
    with pytest.raises(ValueError, match="X must have 3 inputs and 2 targets; got 3 and 1"):
        result.score(blocks_of(X, T[:1]))
    with pytest.warns(UserWarning, match="at least 2 samples"):
        assert np.isnan(result.score(blocks_of(X[:, :1], T[:, :1])))


def test_other_blocks_are_refused_by_a_resumed_run():
    first = train(blocks_of(X, T), **COMMON, alpha=0.0)
    with pytest.raises(ValueError, match="X must be what the resumed run was trained with"):
        train(blocks_of(X + 1.0, T), resume=first)
    with pytest.raises(ValueError, match="sample_weight must be what"):
        train(blocks_of(X, T, WEIGHT), resume=first)
    with pytest.raises(ValueError, match="X_val must be what"):
        train(blocks_of(X, T), resume=first, X_val=blocks_of(X, T))
    validated = train(blocks_of(X, T), X_val=blocks_of(X, T), **COMMON, alpha=0.0)
    with pytest.raises(ValueError, match="sample_weight_val must be what"):
        train(blocks_of(X, T), resume=validated, X_val=blocks_of(X, T, WEIGHT))


def test_validation_data_may_be_blocks_too():
    options = COMMON | {"alpha": 0.0, "solver": "lbfgs", "patience": 5}
    expected = train(X, T, X_val=X[:, 5:], T_val=T[:, 5:], sample_weight_val=WEIGHT[5:], **options)
    for held_out in (
        {"X_val": blocks_of(X[:, 5:], T[:, 5:], WEIGHT[5:])},
        {"X_val": X[:, 5:], "T_val": T[:, 5:], "sample_weight_val": WEIGHT[5:]},
    ):
        assert_same(train(blocks_of(X, T), **held_out, **options), expected)


def test_constant_and_tiny_columns():
    inputs, targets = np.vstack((X, np.full(N, 7.25))), np.vstack((T * 1e-200, np.full(N, -3.1)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = train(inputs, targets, alpha=0.0, **COMMON)
        result = train(blocks_of(inputs, targets), alpha=0.0, **COMMON)
        later = {"X_val": inputs, "T_val": targets + 1.0}
        assert_same(
            train(blocks_of(inputs, targets), alpha=0.0, **COMMON, **later),
            train(inputs, targets, alpha=0.0, **COMMON, **later),
        )
    assert_same(result, expected)
    with pytest.warns(UserWarning, match="Constant, or so to rounding"):
        train(blocks_of(inputs, targets), alpha=0.0, **COMMON)


def test_a_callback_a_time_limit_and_ctrl_c():
    def interrupt(progress):
        if progress.epoch == 3:
            raise KeyboardInterrupt

    options = {"hidden_size": 4, "alpha": 0.0, "max_epochs": 50, "solver": "lbfgs"}
    stopped = train(blocks_of(X, T), callback=lambda progress: progress.epoch == 3, **options)
    assert (stopped.stop_reason, stopped.n_epochs) == ("callback", 3)
    assert train(blocks_of(X, T), callback=interrupt, **options).stop_reason == "interrupted"
    endless = options | {"max_epochs": None, "tol": None, "gradient_tol": None, "solver": "gd"}
    assert train(blocks_of(X, T), max_seconds=0.3, **endless).stop_reason == "max_seconds"


def test_each_evaluation_reads_the_blocks_once_and_one_pass_comes_before():
    class Counting:
        def __init__(self):
            self.reads = 0

        def __len__(self):
            return 1

        def __getitem__(self, index):
            self.reads += 1
            return X, T

    source = Counting()
    result = train(Blocks(source), hidden_size=3, solver="gd", max_epochs=4, alpha=0.0)
    known = 1  # the first block tells whether there are weights and how many rows
    losses_of_the_result = 1
    assert source.reads <= known + 1 + result.n_evaluations + losses_of_the_result


def test_a_run_that_diverges_names_its_cause():
    far = X.copy()
    far[1, 500] = 1e7
    with pytest.warns(RuntimeWarning, match=r"row 1 of X .* reaches 1e\+07\."):
        train(
            blocks_of(far, T), scale=False, solver="gd", activation="relu", learning_rate=1.0,
            hidden_size=4, alpha=0.0, max_epochs=50,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"engine": "naive"}, ValueError, "engine must be 'fused' where X is not in memory"),
        ({"alpha": "cv"}, ValueError, "alpha must be a number, a pair or 'evidence'"),
        ({"uncertainty": "laplace"}, ValueError, "uncertainty must be None"),
        ({"sample_weight": WEIGHT}, ValueError, "sample_weight must be left out"),
        ({"T": T}, TypeError, "T must be None where X is not an array"),
        ({"targets": ["y"]}, ValueError, "targets must be left out where X is Blocks"),
        ({"X_val": X}, ValueError, "X_val must come with T_val"),
        ({"X_val": blocks_of(X, T), "T_val": T}, TypeError, "T_val must be None"),
        ({"T_val": T}, ValueError, "T_val must come with X_val"),
        ({"sample_weight_val": WEIGHT}, ValueError, "sample_weight_val must come with X_val"),
        (
            {"X_val": blocks_of(X, T), "sample_weight_val": WEIGHT},
            ValueError,
            "sample_weight_val must be left out where X_val is Blocks",
        ),
        ({"X_val": blocks_of(X[:2], T)}, ValueError, "X_val must have 3 rows"),
        ({"X_val": blocks_of(X, T[:1])}, ValueError, "T_val must have 2 rows"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_blocks_do_not_allow(options, error, text):
    with pytest.raises(error, match=text):
        train(blocks_of(X, T), hidden_size=3, **options)


def test_what_arrays_do_not_allow():
    with pytest.raises(TypeError, match="T must come with an array X"):
        train(X)
    with pytest.raises(ValueError, match="targets must be left out where X is an array"):
        train(X, T, targets=["y"])
    with pytest.raises(TypeError, match="X_val must be an array where X is one"):
        train(X, T, X_val=blocks_of(X, T))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_not_finite_has_its_position(value):
    bad = T.copy()
    bad[1, 600] = value
    blocks = blocks_of(X, bad)
    with pytest.raises(
        ValueError, match=rf"T must be finite; got {value} at T\[1, 600\]"
    ) as raised:
        train(blocks)
    starts = np.cumsum([0, *(samples.X.shape[1] for samples in blocks)])
    block = int(np.searchsorted(starts, 600, side="right")) - 1
    assert str(raised.value).endswith(f" It is in block {block}.")


def test_the_checkpoint_has_the_fingerprints_of_arrays(tmp_path):
    options = COMMON | {"alpha": 0.0, "solver": "adam"}
    train(blocks_of(X, T, WEIGHT), checkpoint=tmp_path / "a.npz", **options)
    train(X, T, sample_weight=WEIGHT, checkpoint=tmp_path / "b.npz", **options)
    first, second = (Checkpoint.load(tmp_path / name).samples for name in ("a.npz", "b.npz"))
    assert first == second
