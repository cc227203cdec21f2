"""Tables the wrong way round: what is said leads to the samples that the user has."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from batchprop import Network, check_gradient, gauss_newton, loss_and_gradient, train, train_many
from batchprop.validation import orientation

FAST = {"alpha": 0.0, "hidden_size": 2, "max_epochs": 0, "n_threads": 1, "engine": "vectorized"}
PIECE = re.compile(r"\b(X_val|T_val|X|T)(\.T|\[np\.newaxis, :\]|\[:, np\.newaxis\])")


def turned(table, after):
    return {
        ".T": lambda: table.T,
        "[np.newaxis, :]": lambda: table[np.newaxis, :],
        "[:, np.newaxis]": lambda: table[:, np.newaxis],
    }[after]()


def followed(call, tables):
    """Call, do what is said, and call again, up to three times; return the last tables."""
    for _ in range(4):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                call(**tables)
            except ValueError as error:
                text = str(error)
            else:
                text = " ".join(str(one.message) for one in caught)
                text = text if "seem to be" in text else ""
                if not text:
                    return tables
        pieces = PIECE.findall(text.split("; got", 1)[-1].split("If rows of", 1)[0])
        assert pieces, text
        tables = tables | {name: turned(tables[name], after) for name, after in pieces}
    raise AssertionError(f"no end: {text}")


def forms(table):
    """Yield all ways in which a table (k, N) may be given, and the flat one where k is 1."""
    yield table
    yield table.T
    if len(table) == 1:
        yield table[0]


def sizes(rng):
    e, s = (int(size) for size in rng.integers(1, 7, 2))
    return e, s, e + s + 1 + int(rng.integers(0, 40))


@pytest.mark.parametrize("seed", range(60))
def test_following_what_is_said_ends_with_all_samples(seed):
    rng = np.random.default_rng(seed)
    e, s, n = sizes(rng)
    if seed % 4 == 0:
        s, n = e, 2 * e + 1 + int(rng.integers(0, 40))
    X, T = rng.normal(size=(e, n)), rng.normal(size=(s, n))
    for x in forms(X):
        for t in forms(T):
            reached = followed(lambda X, T: train(X, T, **FAST), {"X": x, "T": t})
            np.testing.assert_array_equal(reached["X"], X)
            np.testing.assert_array_equal(reached["T"], T)


@pytest.mark.parametrize("seed", range(30))
def test_the_same_beside_a_network(seed):
    rng = np.random.default_rng(seed)
    e, s, n = sizes(rng)
    X, T = rng.normal(size=(e, n)), rng.normal(size=(s, n))
    net = Network.initialize(e, 3, s)
    engine = {"engine": "vectorized"}
    calls = (
        lambda X, T: loss_and_gradient(net, X, T, **engine),
        lambda X, T: gauss_newton(net, X, T, **engine),
        lambda X, T: check_gradient(net, X, T, n_probes=1, **engine),
        lambda X, T: train(X, T, network=net, max_epochs=0, **engine),
    )
    for x in forms(X):
        for t in forms(T):
            for call in calls:
                assert followed(call, {"X": x, "T": t})["X"].shape == (e, n)
        reached = followed(lambda X: net.predict(X, engine="vectorized"), {"X": x})
        assert reached["X"].shape == (e, n)


@pytest.mark.parametrize("seed", range(30))
def test_the_same_of_validation_data(seed):
    rng = np.random.default_rng(seed)
    e, s, n = sizes(rng)
    X, T = rng.normal(size=(e, n)), rng.normal(size=(s, n))
    V, U = X[:, :-1], T[:, :-1]
    for x in forms(V):
        for t in forms(U):
            reached = followed(
                lambda X_val, T_val: train(X, T, X_val=X_val, T_val=T_val, **FAST),
                {"X_val": x, "T_val": t},
            )
            if len({e, s, n - 1}) == 3:  # else a square table cannot be told
                assert reached["X_val"].shape == (e, n - 1)
                assert reached["T_val"].shape == (s, n - 1)


@pytest.mark.parametrize(
    ("x", "t", "told"),
    [
        ((60, 2), (2, 60), "Rows seem to be samples: pass X.T."),
        ((60, 60), (60, 1), "Rows seem to be samples: pass X.T and T.T."),
        ((60, 60), (60,), "Pass T[np.newaxis, :]. If rows of X are samples, pass X.T as well."),
        ((2, 60), (60, 60), None),  # this fits
        ((60, 2), (60, 60), "Rows seem to be samples: pass X.T and T.T."),
        ((100,), (99,), None),
        ((5,), (3,), None),
    ],
)
def test_particular_shapes(x, t, told):
    if told is None and t == (60, 60):
        train(np.ones(x) * np.arange(60), np.ones(t) * np.arange(60), **FAST)
        return
    assert orientation.tables_remedy(x, t, ("X", "T"), None, None) == told


@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("rows", range(1, 30))
def test_when_rows_of_both_tables_seem_to_be_samples(n, rows):
    table = np.random.default_rng(0).normal(size=(rows, n))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train(table, table, **FAST)
        train_many(table, table, [{"seed": 0}, {"seed": 1}], **FAST | {"n_threads": None})
    said = [one for one in caught if "X.T, T.T" in str(one.message)]
    assert len(said) == (2 if rows > 2 * n else 0)  # once for each call
    for one in said:
        assert one.filename == __file__
        assert one.category is UserWarning


def test_sizes_that_were_chosen_before_are_not_questioned():
    table = np.random.default_rng(0).normal(size=(20, 3))
    net = Network.initialize(20, 2, 20)
    more = {name: FAST[name] for name in ("max_epochs", "engine")}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = train(table, table, network=net, solver="gd", **more)
        train(table, table, resume=first, **more)
    assert not [one for one in caught if ".T" in str(one.message)]


def test_weights_tell_too():
    table = np.random.default_rng(0).normal(size=(4, 3))
    with pytest.raises(ValueError, match=r"Rows of X seem to be samples: pass X\.T, and T\.T"):
        train(table, table, sample_weight=np.ones(4), **FAST)


def test_two_numbers_can_be_one_sample():
    """Where something says that there are two inputs; two outputs have to be said as well."""
    told = orientation.inputs_remedy((2,), "X", 2)
    assert told == "Pass X[:, np.newaxis] if it is one sample."
    assert orientation.tables_remedy((3,), (2,), ("X", "T"), 3, None) is None
    assert orientation.tables_remedy((3,), (2,), ("X", "T"), 3, 2) is not None
