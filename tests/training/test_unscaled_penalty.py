"""A penalty that was chosen for data far from standardised comes with a warning."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop import train, train_many
from batchprop.sklearn import BatchMLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 40))
T = np.sin(X[:1]) + 0.1 * RNG.normal(size=(1, 40))
OPTIONS = {"hidden_size": 4, "solver": "lbfgs", "scale": False, "alpha": "evidence"}


@pytest.mark.parametrize("method", ["auto", "evidence", "cv"])
@pytest.mark.parametrize(
    ("x_unit", "t_unit", "rows"),
    [(1.0, 1e3, r"row 0 of T \(.*\(6"), (1e-3, 1.0, r"rows 0, 1 of X \(.*\(0\.0"),
     (1e3, 1e-3, r"rows 0, 1 of X .* and row 0 of T")],
)  # fmt: skip
def test_far_from_1(method, x_unit, t_unit, rows):
    pattern = rf"tries penalties that suit data of standard deviation 1; got.*{rows}"
    with pytest.warns(UserWarning, match=pattern) as caught:
        train(x_unit * X, t_unit * T, **(OPTIONS | {"alpha": method}), max_epochs=3)
    assert [warning.filename for warning in caught] == [__file__]


def test_in_other_calls():
    with pytest.warns(UserWarning, match="suit data of standard deviation 1") as caught:
        train_many(X, 1e3 * T, [{"alpha": 0.1}, {}], **OPTIONS, max_epochs=3)
    assert len(caught) == 1
    with pytest.warns(UserWarning, match=r"scale=False, y \(") as caught:
        BatchMLPRegressor(**OPTIONS, random_state=0).fit(X.T, 1e3 * T[0])
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("x_unit", "options"),
    [(3.0, {}), (1e3, {"scale": True}), (1e3, {"alpha": 0.1}), (1e3, {"alpha": "auto",
      "solver": "gd"})],
)  # fmt: skip
def test_silence(x_unit, options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(x_unit * X, T, **(OPTIONS | {"max_epochs": 3} | options))


def test_a_constant_row_is_not_far():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Stopped by")  # all units are saturated
        train(np.vstack([X, np.full(40, 1e6)]), T, **OPTIONS, max_epochs=3)
