"""What a resumed run takes from the checkpoint, what from the call, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Network, train
from batchprop.validation import float_dtype
from tests.bad_input import FORM
from tests.problems import problem
from tests.resumed import assert_same_run

# rules that end a run early are what is tested here
pytestmark = pytest.mark.filterwarnings("ignore:Stopped by 'stagnation' with")
CASE = problem(e=2, m=4, s=1, n_samples=30)
FIRST = {
    "hidden_size": 4,
    "solver": "adam",
    "learning_rate": 0.02,
    "alpha": 0.25,
    "seed": 7,
    "activation": "logistic",
    "dtype": "float32",
    "engine": "vectorized",
    "beta_1": 0.8,
}
RULES = {"tol": 1e-3, "n_epochs_no_change": 300, "target_loss": 1e-4, "gradient_tol": 1e-7}
HELD_OUT = {"X_val": CASE.X[:, :9], "T_val": CASE.T[:, :9]}


@pytest.fixture(scope="module")
def first():
    return trained(max_epochs=8)


def trained(**options):
    return train(CASE.X, CASE.T, **(FIRST | RULES | options))


def resumed(first, X=CASE.X, T=CASE.T, **options):
    return train(X, T, resume=first, **({"max_epochs": 4} | options))


def test_everything_comes_from_the_checkpoint(first):
    assert_same_run(resumed(first), trained(max_epochs=12))


def test_it_may_all_be_said_again(first):
    assert_same_run(resumed(first, **FIRST, **RULES), trained(max_epochs=12))
    again = {"dtype": np.float32, "hidden_size": np.int64(4), "alpha": np.float64(0.25)}
    assert_same_run(resumed(first, **(FIRST | again)), trained(max_epochs=12))


def test_numbers_that_were_found_count_as_said():
    drawn = train(CASE.X, CASE.T, solver="gd", max_epochs=3)
    rate = drawn.checkpoint.arguments["learning_rate"]
    assert rate > 0
    assert drawn.checkpoint.arguments["dtype"] == "float64"
    assert_same_run(resumed(drawn, learning_rate=rate, dtype="float64"), resumed(drawn))


OTHERS = {
    "hidden_size": 5,
    "solver": "nesterov",
    "learning_rate": 0.03,
    "alpha": 0.5,
    "seed": 8,
    "activation": "relu",
    "dtype": "float64",
    "engine": "naive",
    "beta_1": 0.7,
    "scale": False,
}


@pytest.mark.parametrize("name", OTHERS)
def test_an_argument_that_contradicts(first, name):
    with pytest.raises(ValueError, match=rf"^{name} must agree with the resumed run") as told:
        resumed(first, **{name: OTHERS[name]})
    assert FORM.match(str(told.value))
    assert repr(first.checkpoint.arguments[name]) in str(told.value)
    assert repr(OTHERS[name]) in str(told.value)


@pytest.mark.parametrize(
    ("name", "value"), [("network", CASE.network), ("n_init", 3), ("combine", "mean")]
)
def test_a_start_for_a_run_that_has_one(first, name, value):
    with pytest.raises(ValueError, match=f"^{name} must be left out of a resumed run") as told:
        resumed(first, **{name: value})
    assert FORM.match(str(told.value))


@pytest.mark.parametrize("value", [3, b"bytes", CASE.network, {}])
def test_what_cannot_be_resumed(value):
    with pytest.raises(TypeError, match=r"^resume must be a result of train") as told:
        resumed(value)
    assert FORM.match(str(told.value))


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        resumed(tmp_path / "nothing.npz")


def test_rules_are_kept_where_they_are_left_out(first):
    assert {name: first.checkpoint.arguments[name] for name in RULES} == RULES
    kept = resumed(resumed(first, tol=0.9, n_epochs_no_change=1)).checkpoint.arguments
    assert kept["tol"] == 0.9
    assert kept["n_epochs_no_change"] == 1
    assert kept["target_loss"] == 1e-4


def test_rules_of_this_call(first):
    assert resumed(first, tol=0.9, n_epochs_no_change=1).stop_reason == "stagnation"
    assert resumed(first, target_loss=1e9).stop_reason == "target_loss"
    assert resumed(first, gradient_tol=1e9).stop_reason == "gradient_norm"


def test_limits_callback_and_threads_are_those_of_the_call(first, tmp_path):
    told = []
    options = {"max_seconds": 100.0, "callback": told.append, "callback_every": 3, "n_threads": 1}
    before = trained(max_epochs=8, checkpoint=tmp_path / "run.npz", progress=True, **options)
    told.clear()
    (tmp_path / "run.npz").unlink()
    assert_same_run(resumed(before), trained(max_epochs=12))
    assert not told
    assert not (tmp_path / "run.npz").exists()
    resumed(first, callback=told.append, callback_every=3)
    assert [progress.epoch for progress in told] == [9, 12]
    assert not set(options) & set(before.checkpoint.arguments)


def test_every_argument_of_train_has_a_place(first):
    """A new argument is kept by checkpoints, unless it is one of these."""
    of_the_call = {
        "inputs", "targets", "X_val", "T_val", "sample_weight", "sample_weight_val", "network",
        "n_init", "combine",
        "max_epochs", "max_seconds", "uncertainty",
        "callback", "callback_every", "progress", "n_threads", "resume", "checkpoint",
        "checkpoint_seconds",
    }  # fmt: skip
    assert set(first.checkpoint.arguments) == set(train.__kwdefaults__) - of_the_call
    assert float_dtype(first.checkpoint.arguments["dtype"]) == np.float32


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"X": CASE.X + 1}, "X"),
        ({"T": -CASE.T}, "T"),
        ({"X": CASE.X[:, 1:], "T": CASE.T[:, 1:]}, "X"),
        ({"X": CASE.X[:1]}, "X"),
        ({"T": np.vstack([CASE.T, CASE.T])}, "T"),
        ({"sample_weight": np.ones(30)}, "sample_weight"),
        (HELD_OUT, "X_val"),
    ],
)
def test_other_data(first, changed, name):
    with pytest.raises(ValueError, match=f"^{name} must be what the resumed run") as told:
        resumed(first, **changed)
    assert FORM.match(str(told.value))


def test_weights_and_validation_data_belong_to_the_data():
    weight = np.linspace(1, 2, 30)
    first = trained(max_epochs=3, sample_weight=weight, patience=50, **HELD_OUT)
    with pytest.raises(ValueError, match="^sample_weight must be what"):
        resumed(first, sample_weight=weight + 1e-3, **HELD_OUT)
    with pytest.raises(ValueError, match="^T_val must be what"):
        resumed(first, sample_weight=weight, **(HELD_OUT | {"T_val": HELD_OUT["T_val"] + 1}))
    with pytest.raises(ValueError, match="^X_val must be what the resumed run .* got None"):
        resumed(first, sample_weight=weight)


def test_weights_of_validation_data_belong_to_the_data():
    weight = np.linspace(1, 2, 9)
    options = {"patience": 50, **HELD_OUT}
    first = trained(max_epochs=3, sample_weight_val=weight, **options)
    assert_same_run(
        resumed(first, sample_weight_val=weight, max_epochs=9, **HELD_OUT),
        trained(max_epochs=12, sample_weight_val=weight, **options),
    )
    with pytest.raises(ValueError, match="^sample_weight_val must be what .* got other values"):
        resumed(first, sample_weight_val=weight + 1e-3, **HELD_OUT)
    with pytest.raises(ValueError, match="^sample_weight_val must be what .* got None"):
        resumed(first, **HELD_OUT)
    plain = trained(max_epochs=3, **options)
    with pytest.raises(ValueError, match="^sample_weight_val must be what .* got an array"):
        resumed(plain, sample_weight_val=weight, **HELD_OUT)


def test_the_same_data_in_another_form(first, tmp_path):
    np.save(tmp_path / "X.npy", CASE.X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for X in (np.asfortranarray(CASE.X), CASE.X.tolist(), mapped):
        assert_same_run(resumed(first, X=X), resumed(first))


def test_bad_data_are_bad_data_first(first):
    X = CASE.X.copy()
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="^X must be finite"):
        resumed(first, X=X)


def test_a_new_run_from_its_network_is_the_way_out(first):
    start = first.last_network
    assert isinstance(start, Network)
    assert (
        train(CASE.X + 1, CASE.T, network=start, hidden_size=4, max_epochs=2, alpha=0.0).n_epochs
        == 2
    )
