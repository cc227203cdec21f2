"""What is said of a fit that a limit has ended, and what scikit-learn calls the arguments."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest
from sklearn.exceptions import ConvergenceWarning

from batchprop.sklearn import fit_warnings

LIMITS = {
    "max_epochs": "Raise max_iter",
    "max_seconds": "Raise max_seconds",
    "max_evaluations": "Raise max_evaluations in solver_options",
    "method_gave_up": "Try another method in solver_options",
}


def said(reason):
    """Return the warnings about a run of 7 epochs and 23 evaluations with this end."""
    result = SimpleNamespace(stop_reason=reason, n_epochs=7, n_evaluations=23, loss=0.5, starts=())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit_warnings.warn_if_not_converged(result, stacklevel=1)
    return caught


@pytest.mark.parametrize("reason", LIMITS)
def test_a_limit_is_told_with_the_iterations_and_the_loss(reason):
    (one,) = said(reason)
    assert one.category is ConvergenceWarning
    assert one.filename == __file__
    name = "max_iter" if reason == "max_epochs" else reason
    assert str(one.message).startswith(f"Stopped by {name} after n_iter_=7 iterations")
    assert "(it is 0.5 now)" in str(one.message)
    assert LIMITS[reason] in str(one.message)


def test_other_ends():
    for reason in ("gradient", "stagnation", "patience", "callback"):
        assert not said(reason)
    assert not said("interrupted")  # an exception says it


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["interrupted"], True),
        (["max_epochs", "interrupted"], True),
        (["callback", "interrupted"], False),
        (["max_epochs"], False),
    ],
)
def test_ctrl_c_is_told_from_a_callback_that_ends_all_starts(reasons, expected):
    starts = tuple(SimpleNamespace(stop_reason=reason) for reason in reasons)
    result = SimpleNamespace(stop_reason=reasons[0], starts=starts)
    assert fit_warnings.was_interrupted(result) == expected


@pytest.mark.parametrize("flat", [True, False])
def test_arguments_have_the_names_of_scikit_learn(flat):
    words = fit_warnings.words(flat)
    told = {name: words.name(name) for name in ("T", "max_epochs", "seed", "tol=None", "X")}
    assert told == {
        "T": "y", "max_epochs": "max_iter", "seed": "random_state", "tol=None": "tol=0", "X": "X",
    }  # fmt: skip
    assert words.unsettled is ConvergenceWarning
