"""What all plots have in common: lazy imports, axes, documented arguments, clear refusals."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

import batchprop
from batchprop import Network, plot
from batchprop.sklearn import BatchMLPRegressor
from tests.project import SRC
from tests.test_documented import documented_parameters

RNG = np.random.default_rng(0)
ONE, TWO = Network.initialize(3, 4, 1), Network.initialize(3, 4, 2)
X = RNG.standard_normal((3, 40))
T = RNG.standard_normal((2, 40))
DRAWN = {  # each function, called for a network with one output
    "predicted_against_true": lambda **kw: plot.predicted_against_true(ONE, X, T[:1], **kw),
    "residuals": lambda **kw: plot.residuals(ONE, X, T[:1], **kw),
    "response_curves": lambda **kw: plot.response_curves(ONE, X, inputs=[0], **kw),
    "importance": lambda **kw: plot.importance(ONE, X, **kw),
    "network": lambda **kw: plot.network(ONE, X, **kw),
}
AX = dict.fromkeys(DRAWN, "axes") | {"network": "ax"}


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=SRC)


def test_the_module_needs_no_matplotlib_until_something_is_drawn():
    done = run("import sys, batchprop; print('plot' in dir(batchprop)); batchprop.plot.network; "
               "print('matplotlib' in sys.modules)")  # fmt: skip
    assert done.stdout.split() == ["True", "False"], done.stderr


def test_a_missing_matplotlib_is_named_with_the_remedy():
    done = run(
        "import sys; sys.modules['matplotlib'] = None\n"
        "from batchprop import Network, plot\n"
        "plot.network(Network.initialize(1, 2, 1))"
    )
    (last,) = done.stderr.splitlines()[-1:]
    assert last.startswith("ModuleNotFoundError: matplotlib must be installed for batchprop.plot")
    assert last.endswith("Run pip install batchprop[plot].")
    assert "During handling" not in done.stderr


def test_every_function_is_documented_and_its_example_runs():
    assert plot.__all__ == sorted(plot.__all__)
    runner, told = doctest.DocTestRunner(verbose=False), []
    for name in plot.__all__:
        function = getattr(plot, name)
        parameters = set(inspect.signature(function).parameters)
        assert documented_parameters(function.__doc__) == parameters, name
        (example,) = doctest.DocTestFinder(recurse=False).find(function, name, globs={})
        assert example.examples, name
        runner.run(example, out=told.append)
    assert not told, "".join(told)


@pytest.mark.parametrize("name", DRAWN)
def test_own_axes_are_drawn_into_and_returned(name):
    figure, ax = plt.subplots()
    numbers = plt.get_fignums()
    returned = DRAWN[name](**{AX[name]: ax})
    assert np.ravel(returned)[0] is ax
    assert plt.get_fignums() == numbers
    assert figure.get_suptitle() == ""
    assert ax.has_data()
    figure.canvas.draw()


@pytest.mark.parametrize("name", DRAWN)
def test_without_axes_there_is_one_new_figure(name):
    DRAWN[name]()
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_not_axes_is_refused(name):
    with pytest.raises(TypeError, match=f"{AX[name]} must be matplotlib Axes; got 'left' of type"):
        DRAWN[name](**{AX[name]: "left"})


def test_the_number_of_axes_must_be_that_of_panels():
    _, axes = plt.subplots(1, 3)
    with pytest.raises(
        ValueError, match=r"axes must be 2 matplotlib Axes.*got 3.*subplots\(1, 2\)"
    ):
        plot.importance(TWO, X, axes=axes)
    assert plot.importance(TWO, X, axes=axes[1:])[0] is axes[1]


def test_results_and_predictives_are_drawn_like_their_network():
    rows = np.linspace(-1.0, 1.0, 40)[np.newaxis]
    result = batchprop.train(rows, rows**2, hidden_size=2, alpha=0.1, uncertainty="laplace")
    widths = [
        plot.importance(model, rows).patches[0].get_width()
        for model in (result.network, result, result.predictive)
    ]
    assert widths[0] == widths[1] == widths[2] > 0


def test_an_estimator_is_refused_with_the_remedy():
    model = BatchMLPRegressor(hidden_size=2, alpha=0.0, max_iter=2, solver="gd", random_state=0)
    with pytest.warns(UserWarning, match="Stopped by max_iter"):
        model.fit(X.T, T[0])
    with pytest.raises(TypeError, match=r"Pass model\.network_, and tables with samples as col"):
        plot.importance(model, X)
    with pytest.raises(TypeError, match="network must be a batchprop.Network.*got 3 of type int"):
        plot.network(3)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"names": ["a", "b"]}, ValueError, "names must have 3 names, one for each input; got 2"),
        ({"names": "abc"}, ValueError, "names must have 3 names.*got 'abc'"),
        ({"output_names": ["a"]}, ValueError, "output_names must have 2 names"),
        ({"outputs": 2}, ValueError, "outputs must be below 2; got 2. Count from 0 to 1"),
        ({"outputs": [-1]}, ValueError, "outputs"),
        ({"outputs": []}, ValueError, "outputs must name at least one index"),
        ({"outputs": 0.5}, TypeError, "outputs"),
        ({"max_inputs": 0}, ValueError, "max_inputs"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    with pytest.raises(error, match=text):
        plot.importance(TWO, X, **arguments)
    assert not plt.get_fignums()


def test_tables_that_do_not_fit_are_refused_before_a_figure_is_made():
    for draw in (plot.importance, plot.response_curves, plot.network):
        with pytest.raises(ValueError, match=r"X must have shape \(3, N\)"):
            draw(ONE, X[:2])
    for draw in (plot.predicted_against_true, plot.residuals):
        with pytest.raises(ValueError, match=r"T must have shape \(1, 40\)"):
            draw(ONE, X, T)
    assert not plt.get_fignums()


def test_names_are_text_and_no_formula():
    ax = plot.importance(ONE, X, names=["$a", "b$", "$c$"])
    ax.get_figure().canvas.draw()
    labels = {label.get_text() for label in ax.get_yticklabels()}
    assert labels == {r"\$a", r"b\$", r"\$c\$"}


def test_a_data_frame_names_its_rows():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X.T, columns=["a", "b", "c"])
    ax = plot.importance(ONE, frame.T)
    assert {label.get_text() for label in ax.get_yticklabels()} == {"a", "b", "c"}
    targets = pandas.DataFrame(T[:1].T, columns=["price"]).T
    assert plot.residuals(ONE, frame.T, targets).get_xlabel() == "predicted price"
