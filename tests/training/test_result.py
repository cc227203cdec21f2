"""What a run returns can be read, copied and sent elsewhere."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import numpy as np
import pytest

from batchprop import train
from batchprop.solvers.stopping import CONVERGED, REASONS, RUNNING
from batchprop.training.result import Progress, TrainResult
from tests.problems import problem
from tests.resumed import assert_same_checkpoint

COPIES = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
CASE = problem()


def trained(**options):
    return train(
        CASE.X, CASE.T, network=CASE.network, max_epochs=12, tol=None, **{"alpha": 0.0} | options
    )


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copy_says_the_same(copied):
    result = trained(X_val=CASE.X, T_val=CASE.T)
    twin = copied(result)
    for field in dataclasses.fields(result):
        pair = getattr(result, field.name), getattr(twin, field.name)
        if field.name.endswith("network"):
            assert pair[0].shape == pair[1].shape
            assert pair[0].activation == pair[1].activation
            pair = tuple(network.theta for network in pair)
        if field.name == "checkpoint":
            assert_same_checkpoint(*pair)
        else:
            np.testing.assert_array_equal(*pair)


@pytest.mark.parametrize("copied", [COPIES["pickle"], COPIES["deepcopy"]])
def test_a_copy_stands_alone(copied):
    result = trained()
    twin = copied(result)
    kept = result.network.predict(CASE.X)
    twin.network.theta[:] = 0  # the blocks stay views of θ
    assert not twin.network.W_h.any()
    np.testing.assert_array_equal(result.network.predict(CASE.X), kept)
    np.testing.assert_array_equal(twin.network.predict(CASE.X), 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses_are_those_of_the_network_with_the_weights_of_its_samples(dtype):
    weights = np.arange(40.0)
    result = trained(
        X_val=CASE.X + 1, T_val=CASE.T, sample_weight=weights, sample_weight_val=weights[::-1],
        dtype=dtype,
    )  # fmt: skip
    for loss, X, weight in (
        (result.loss, CASE.X, weights),
        (result.validation_loss, CASE.X + 1, weights[::-1]),
    ):
        R = result.network.predict(X).astype(np.float64) - CASE.T
        expected = np.average((R**2).sum(axis=0), weights=weight)
        assert loss == pytest.approx(expected, rel=64 * float(np.finfo(dtype).eps))


def test_nothing_can_be_replaced():
    with pytest.raises(dataclasses.FrozenInstanceError):
        trained().loss = 0.0


def test_results_compare_by_identity():
    result = trained()
    assert result == result  # noqa: PLR0124
    assert result != trained()
    assert len({result, trained()}) == 2


def test_the_text_of_a_result():
    plain, validated = trained(), trained(X_val=CASE.X, T_val=CASE.T)
    for part in ("3-5-2", "tanh", f"loss {plain.loss:.6g}", "12 epochs", "'max_epochs'"):
        assert part in repr(plain)
    assert "validation" not in repr(plain)
    assert f"validation loss {validated.validation_loss:.6g}" in repr(validated)
    assert "\n" not in repr(validated)


def test_a_callback_is_told_once_and_for_all():
    told = []
    trained(callback=told.append)
    assert all(type(progress) is Progress for progress in told)
    with pytest.raises(dataclasses.FrozenInstanceError):
        told[0].loss = 1.0
    for field in dataclasses.fields(Progress):
        kind = {"int": int, "float": float, "Search | None": type(None)}[field.type]
        assert type(getattr(told[3], field.name)) is kind


def test_every_reason_for_stopping_is_documented():
    text = TrainResult.__doc__
    text = text[text.index("stop_reason : str") : text.index("converged : bool")]
    done, cut_short = text.split("Cut short:")
    for code, reason in REASONS.items():
        if code != RUNNING:
            assert f"``{reason}``" in (done if reason in CONVERGED else cut_short)
    for reason in ("max_seconds", "callback", "interrupted"):  # of the loop around the solvers
        assert f"``{reason}``" in cut_short
