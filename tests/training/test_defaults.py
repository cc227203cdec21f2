"""What is not said has the value that the docstrings name; formats count from 1."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Checkpoint, Network, train
from batchprop.sklearn import BatchMLPRegressor
from tests.problems import problem

CASE = problem(e=2, m=4, s=1, n_samples=30)


def test_the_network_of_a_call_that_names_none():
    result = train(CASE.X, CASE.T, max_epochs=0)
    assert (result.network.shape, result.network.activation) == ((2, 50, 1), "tanh")
    assert result.network.dtype == "float64"
    assert train(CASE.X.astype("f4"), CASE.T, max_epochs=0).network.dtype == "float32"
    drawn = Network.initialize(2, 50, 1, seed=0)
    plain = train(CASE.X, CASE.T, max_epochs=0, scale=False)
    np.testing.assert_array_equal(plain.network.theta, drawn.theta)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_network_of_an_estimator_that_names_none():
    model = BatchMLPRegressor(max_iter=1, alpha=0.0).fit(CASE.X.T, CASE.T[0])
    assert model.network_.shape == (2, 50, 1)
    assert model.network_.activation == "tanh"


@pytest.mark.parametrize("number", [-1, 0, 3])  # 2: a network with more beside it, a checkpoint
@pytest.mark.parametrize("kind", ["network", "checkpoint"])
def test_another_format_is_refused(kind, number, tmp_path):
    result, path = (
        train(CASE.X, CASE.T, hidden_size=2, max_epochs=1, alpha=0.0),
        tmp_path / "file.npz",
    )
    (result.network if kind == "network" else result.checkpoint).save(path)
    with np.load(path) as archive:
        assert int(archive["format"]) == (1 if kind == "network" else 2)
        arrays = {name: archive[name] for name in archive.files}
    np.savez(path, **(arrays | {"format": np.array(number)}))
    with pytest.raises(ValueError, match="^path must "):
        (Network if kind == "network" else Checkpoint).load(path)
