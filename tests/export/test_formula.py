"""Formulas: they are pasted and computed, in each language that is there, or in translation."""

from __future__ import annotations

import math
import re
import shutil
import subprocess

import numpy as np
import pytest

from batchprop import Network
from batchprop.activations import ACTIVATIONS
from batchprop.export.formula import EXCEL_CHARACTERS, LANGUAGES, LARGEST, SIGMA
from batchprop.export.formula_names import INPUTS
from tests.export.networks import N_SAMPLES, bounds, cases

DTYPES = ("float64", "float32")
EXCEL = {"ABS": abs, "EXP": math.exp, "LN": math.log, "MAX": max, "MIN": min, "TANH": math.tanh}
NUMPY = {
    "abs": np.abs, "exp": np.exp, "expm1": np.expm1, "log1p": np.log1p, "max": np.maximum,
    "min": np.minimum, "tanh": np.tanh,
}  # fmt: skip


def assert_equals_prediction(case, Y, roundoffs=16):
    """Compare with the definition; formulas compute in float64 whatever the network's dtype."""
    net, X = case.network.astype("float64"), case.X.astype("float64")
    limit, _ = bounds(net, X, roundoffs)
    assert (np.abs(np.asarray(Y) - net.predict(X, engine="naive")) <= limit).all(), case.name


def of_python(text, X, names):
    scope = {}
    exec(compile(text, "formula", "exec"), scope)
    return [[scope[name](*x) for x in X.T.tolist()] for name in names]


def of_excel(text, X):
    """Evaluate formulas of cells A2, B2, … at each sample."""
    formulas = text.split("\t")
    rows = []
    for formula in formulas:
        assert formula.startswith("=")
        assert set(re.findall(r"[A-Z]+(?=\()", formula)) <= set(EXCEL)
        digits = [re.sub(r"E.*|\D", "", n).lstrip("0") for n in re.findall(r"[\d.E]+", formula)]
        assert max(map(len, digits)) <= 15
        code = compile(formula[1:], "cell", "eval")
        cells = ([f"{chr(65 + j)}2" for j in range(X.shape[0])],)
        rows.append([eval(code, EXCEL | dict(zip(*cells, x, strict=True))) for x in X.T.tolist()])
    return rows


def of_matlab(text, X, names):
    """Evaluate anonymous functions, translated to Python, at all samples at once."""
    code = text.replace(" ...\n", " ").replace("./", "/")
    code = re.sub(r"= @\(([\w, ]*)\)", r"= lambda \1:", code).replace(";", "")
    scope = dict(NUMPY)
    exec(code, scope)
    return [scope[name](*X) for name in names]


def outputs_of(net):
    s = net.shape.n_outputs
    return ["y"] if s == 1 else [f"y{o + 1}" for o in range(s)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_python(activation, dtype):
    for case in cases(dtype, [activation]):
        text = case.network.formula("python")
        assert re.findall(r"import \w+", text) == ["import math"]
        X = case.X.astype(float)
        assert_equals_prediction(case, of_python(text, X, outputs_of(case.network)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_excel(activation, dtype):
    for case in cases(dtype, [activation]):
        Y = of_excel(case.network.formula("excel"), case.X.astype(float))
        # 15 digits of a number are 23 roundoffs at worst, and each term has two numbers
        assert_equals_prediction(case, Y, roundoffs=64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_matlab_in_translation(activation, dtype):
    for case in cases(dtype, [activation]):
        text = case.network.formula("matlab")
        Y = of_matlab(text, case.X.astype(float), outputs_of(case.network))
        assert_equals_prediction(case, Y)


def run(folder, command, suffix, numbers, parts):
    """Run a script that reads numbers and prints one a line; return them."""
    (folder / f"formula.{suffix}").write_text("\n".join([*parts, ""]), "utf-8")
    (folder / "numbers.txt").write_text("\n".join(map(repr, numbers)) + "\n", "ascii")
    finished = subprocess.run(
        [*command, f"formula.{suffix}"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return np.array(finished.stdout.split(), float)


def script(language, dtype):
    """Return cases, their numbers and a script that prints the predictions of all of them."""
    every, numbers, parts = list(cases(dtype)), [], []
    for case in every:
        e, n = case.X.shape
        parts.append(case.network.formula(language))
        first = len(numbers)
        numbers += case.X.astype(float).ravel().tolist()
        for name in outputs_of(case.network):
            rows = (f"numbers({first + j * n + 1}:{first + (j + 1) * n})" for j in range(e))
            parts.append(f"printf('%.17g\\n', {name}({', '.join(rows)}));")
    if language == "r":
        parts = [re.sub(r"printf\((.*)\);", r"cat(sprintf(\1), sep='')", part) for part in parts]
        parts = [re.sub(r"numbers\((\d+:\d+)\)", r"numbers[\1]", part) for part in parts]
        # scan() reads numbers less exactly than R's parser
        parts.insert(0, "numbers <- as.numeric(readLines('numbers.txt'))")
    else:
        parts.insert(0, "numbers = load('numbers.txt');")
    return every, numbers, parts


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("language", "command", "suffix"),
    [
        pytest.param(
            language, command, suffix,
            marks=pytest.mark.skipif(
                not shutil.which(command[0]), reason=f"{command[0]} is not installed"
            ),
        )
        for language, command, suffix in (
            ("r", ("Rscript", "--vanilla"), "R"), ("matlab", ("octave-cli", "--norc"), "m"),
        )
    ],
)  # fmt: skip
def test_other_interpreters(language, command, suffix, dtype, tmp_path):
    every, numbers, parts = script(language, dtype)
    printed = run(tmp_path, command, suffix, numbers, parts)
    for case in every:
        part, printed = np.split(printed, [case.network.shape.n_outputs * N_SAMPLES])
        assert_equals_prediction(case, part.reshape(-1, N_SAMPLES))
    assert printed.size == 0


def test_each_language_writes_its_names():
    net = Network([[0.5, -1.0]], [0.25], [[2.0], [-4.0]], [3.0, 0.0], activation="relu")
    names = ["age", "income"], ["risk", "cost"]
    assert net.formula("excel", ["B7", "Sheet2!$C$7"]) == (
        "=2*MAX(0,0.5*B7-1*Sheet2!$C$7+0.25)+3\t=-4*MAX(0,0.5*B7-1*Sheet2!$C$7+0.25)+0"
    )
    assert net.formula("excel", *names).startswith("risk\tcost\n=2*MAX(0,0.5*age-1*income+0.25)+3")
    assert net.formula("matlab", *names).splitlines() == [
        "sigma = @(z) max(z, 0);",
        "risk = @(age, income) ...",
        "    2.0*sigma(0.5*age - 1.0*income + 0.25) ...",
        "    + 3.0;",
        "cost = @(age, income) ...",
        "    -4.0*sigma(0.5*age - 1.0*income + 0.25) ...",
        "    + 0.0;",
    ]
    assert "risk <- function(age, income) (\n    2.0 * sigma(" in net.formula("r", *names)
    scope = {}
    exec(net.formula("python", *names), scope)
    assert (scope["risk"](1.0, 0.0), scope["cost"](income=-1.0, age=0.0)) == (4.5, -5.0)


def test_columns_of_a_sheet_beyond_z():
    net = Network(np.ones((1, 704)), [0.0], [[1.0]], [0.0], activation="identity")
    cells = re.findall(r"\*([A-Z]+)2\b", net.formula("excel"))
    assert [cells[j] for j in (0, 25, 26, 27, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip
    assert len(set(cells)) == 704


@pytest.mark.parametrize("sizes", [(LARGEST, 1, 1), (1, LARGEST, 1)])
@pytest.mark.parametrize("language", ["python", "r", "matlab"])
def test_the_longest_sums_can_be_parsed(language, sizes, tmp_path):
    if language == "r" and not shutil.which("Rscript"):
        pytest.skip("Rscript is not installed")
    net = Network.initialize(*sizes)
    text = net.formula(language)
    X = np.random.default_rng(0).normal(size=(sizes[0], 1))
    if language == "python":
        Y = of_python(text, X, ["y"])
    elif language == "matlab":
        Y = of_matlab(text, X, ["y"])
    else:
        values = ", ".join(f"x{j + 1} = {value!r}" for j, value in enumerate(X[:, 0].tolist()))
        parts = [text, f"cat(sprintf('%.17g', y({values})))"]
        Y = run(tmp_path, ["Rscript", "--vanilla"], "R", [], parts)
    np.testing.assert_allclose(np.ravel(Y), net.predict(X).ravel(), rtol=1e-9)


@pytest.mark.parametrize("sizes", [(LARGEST + 1, 1, 1), (1, LARGEST + 1, 1)])
def test_larger_networks_are_refused(sizes):
    with pytest.raises(ValueError, match="^the network must have at most 1000 inputs .* to_c"):
        Network.initialize(*sizes).formula("python")


def test_a_formula_that_is_too_long_for_excel_is_refused():
    lengths = [0]
    while lengths[-1] <= EXCEL_CHARACTERS - 120:  # a unit takes less
        net = Network.initialize(3, len(lengths), 2)
        lengths.append(max(map(len, net.formula("excel").split("\t"))))
    assert lengths[-1] <= EXCEL_CHARACTERS
    net = Network.initialize(3, len(lengths) + 1, 2)
    expected = f"^the network must have formulas of at most 8192 characters .* got 8{3 * '[0-9]'} "
    with pytest.raises(ValueError, match=expected):
        net.formula("excel")
    assert net.formula("python")


def test_inputs_and_outputs_that_are_refused():
    net = Network.initialize(2, 3, 2)
    for language, inputs, expected in (
        ("python", ["a", "b", "c"], "^inputs must be 2 different names that python allows; got 3"),
        ("python", ["a", "a"], "^inputs must .*; got 'a' twice"),
        ("python", ["a", "b c"], "^inputs must .*; got 'b c'. Pass another name, such as 'price'"),
        ("python", ["a", "lambda"], "got 'lambda'"),
        ("python", ["a", "math"], "got 'math'"),
        ("python", ["max", "b"], "got 'max'"),
        ("python", ["a", "sigma"], "got 'sigma'"),
        ("matlab", ["a", "end"], "got 'end'"),
        ("matlab", ["a", "_b"], "got '_b'"),
        ("matlab", ["a", "x" * 64], "got 'xxx"),
        ("r", ["a", "function"], "got 'function'"),
        ("r", ["a", "é"], "got 'é'"),
        ("excel", ["A2", "B2+C2"], r"got 'B2\+C2'"),
        ("excel", ["A2", "1B"], "got '1B'"),
        ("excel", ["A2", ""], "got ''"),
    ):
        with pytest.raises(ValueError, match=expected):
            net.formula(language, inputs)
    for inputs in ("ab", 3, [1, 2], {"a": 1, "b": 2}):
        with pytest.raises(TypeError, match="^inputs must be 2 different names"):
            net.formula("r", inputs)
    with pytest.raises(ValueError, match="^outputs must have other names than the inputs; got 'a'"):
        net.formula("r", ["a", "b"], ["c", "a"])
    with pytest.raises(ValueError, match="^outputs must .* excel allows; got '=a'"):
        net.formula("excel", outputs=["=a", "b"])
    with pytest.raises(ValueError, match="^language must be one of excel, matlab, python, r"):
        net.formula("Excell")
    net.W_y[0, 1] = np.inf
    with pytest.raises(ValueError, match="^W_y must be finite"):
        net.formula("r")


@pytest.mark.parametrize(
    "name",
    ["A2", "$AB$12", "Sheet1!B2", "'My data'!$B$2", "price", "Größe", "[@Price]", "[@[Body mass]]",
     "Cars[@Weight]", "Cars[@[Body mass]]"],
)  # fmt: skip
def test_what_excel_calls_a_cell(name):
    assert re.fullmatch(INPUTS["excel"].pattern, name)


def test_every_language_has_every_activation():
    assert tuple(SIGMA) == tuple(INPUTS) == LANGUAGES
    assert all(list(forms) == list(ACTIVATIONS) for forms in SIGMA.values())
