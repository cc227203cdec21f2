"""Parameters of ``MLPRegressor`` and ``batchprop.train`` that the estimator calls differently."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, ParamSpec

from batchprop.sklearn.arguments import OPTIONS

Parameters = ParamSpec("Parameters")

# Name -> what to do instead.
OTHER_NAMES = {
    "hidden_layer_sizes": "Pass hidden_size, one integer: the network has one hidden layer.",
    "learning_rate_init": "Pass learning_rate, a number: it is constant.",
    "power_t": "Leave it out: the learning rate is constant.",
    "batch_size": "Leave it out: each iteration uses all samples.",
    "shuffle": "Leave it out: each iteration uses all samples.",
    "loss": "Leave it out: the loss is the squared error.",
    "nesterovs_momentum": "Pass solver='nesterov', or solver='momentum' for False.",
    "max_fun": "Pass solver_options={'max_evaluations': 15000}.",
    "max_epochs": "Pass max_iter.",
    "n_epochs_no_change": "Pass n_iter_no_change.",
    "patience": "Pass n_iter_no_change, which is the patience if there are validation data.",
    "seed": "Pass random_state.",
    "progress": "Pass verbose.",
    "dtype": "Leave it out: a float32 X is trained in float32.",
    "resume": "Pass warm_start=True, and call fit again.",
} | {
    name: f"Pass it by solver_options={{{name!r}: ...}}." for name in OPTIONS
}  # fmt: skip


def advice(name: str, parameters: Iterable[str]) -> str | None:
    """Return one sentence on a parameter that does not exist; None if there is nothing to say."""
    remedy = OTHER_NAMES.get(name)
    if remedy is None:
        similar = difflib.get_close_matches(name, parameters, n=1, cutoff=0.7)
        remedy = f"Did you mean {similar[0]!r}?" if similar else None
    return None if remedy is None else f"BatchMLPRegressor has no parameter {name!r}. {remedy}"


def explains_other_names(
    initialise: Callable[Concatenate[Any, Parameters], None],
) -> Callable[Concatenate[Any, Parameters], None]:
    """Let ``__init__`` say what to pass instead of a parameter that it does not have.

    scikit-learn reads the names of parameters from the signature, which stays as it is.
    """
    names = list(inspect.signature(initialise).parameters)[1:]

    @functools.wraps(initialise)
    def explaining(self: Any, /, *args: Parameters.args, **parameters: Parameters.kwargs) -> None:
        for name in parameters:
            if name not in names and (sentence := advice(name, names)):
                raise TypeError(sentence)
        initialise(self, *args, **parameters)

    return explaining
