"""A network as a formula: text for Excel, MATLAB, Python or R.

Each output is one closed expression, Σ_k W_y[o, k] σ(Σ_j W_h[k, j] x_j + b_h[k]) + b_y[o].  σ is
written so that nothing overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy.typing as npt

from batchprop.export.formula_names import INPUTS, OUTPUTS, checked, require_no_name_twice
from batchprop.parameters import Blocks
from batchprop.validation.error_text import message

Array = npt.NDArray[Any]

LANGUAGES = ("excel", "matlab", "python", "r")
LARGEST = 1000  # inputs or hidden units: parsers nest one level for each term of a sum
EXCEL_CHARACTERS = 8192

# σ(z) in each language.  In Excel it takes the place of "sigma(z)" in a formula, elsewhere it is
# the body of a function.
SIGMA = {
    "excel": {
        "identity": "({z})",
        "logistic": "(0.5+0.5*TANH(0.5*({z})))",
        "tanh": "TANH({z})",
        "relu": "MAX(0,{z})",
        "softplus": "(MAX(0,{z})+LN(1+EXP(-ABS({z}))))",
        "elu": "(MAX(0,{z})+EXP(MIN(0,{z}))-1)",
        "softsign": "(({z})/(1+ABS({z})))",
    },
    "matlab": {
        "identity": "z",
        "logistic": "0.5 + 0.5*tanh(0.5*z)",
        "tanh": "tanh(z)",
        "relu": "max(z, 0)",
        "softplus": "max(z, 0) + log1p(exp(-abs(z)))",
        "elu": "max(z, 0) + expm1(min(z, 0))",
        "softsign": "z./(1 + abs(z))",
    },
    "python": {
        "identity": "z",
        "logistic": "0.5 + 0.5 * math.tanh(0.5 * z)",
        "tanh": "math.tanh(z)",
        "relu": "max(z, 0.0)",
        "softplus": "max(z, 0.0) + math.log1p(math.exp(-abs(z)))",
        "elu": "max(z, 0.0) + math.expm1(min(z, 0.0))",
        "softsign": "z / (1.0 + abs(z))",
    },
    "r": {
        "identity": "z",
        "logistic": "0.5 + 0.5 * tanh(0.5 * z)",
        "tanh": "tanh(z)",
        "relu": "pmax(z, 0)",
        "softplus": "pmax(z, 0) + log1p(exp(-abs(z)))",
        "elu": "pmax(z, 0) + expm1(pmin(z, 0))",
        "softsign": "z / (1 + abs(z))",
    },
}


class Form(NamedTuple):
    """How a language writes functions: σ, and one for each output.

    Attributes
    ----------
    sigma : str
        The definition of σ.
    output : str
        The definition of an output; its terms stand on lines of their own.
    indent, line_end : str
        What stands before and after a term.
    times : str
        The product of a number and a variable.
    """

    sigma: str
    output: str
    indent: str = "    "
    line_end: str = "\n"
    times: str = " * "


FORMS = {
    "matlab": Form(
        "sigma = @(z) {sigma};", "{name} = @({inputs}) ...\n{terms};", "    ", " ...\n", "*"
    ),
    "python": Form(
        "import math\n\n\ndef sigma(z):\n    return {sigma}\n\n",
        "def {name}({inputs}):\n    return (\n{terms}\n    )\n\n",
        " " * 8,
    ),
    "r": Form("sigma <- function(z) {sigma}", "{name} <- function({inputs}) (\n{terms}\n)"),
}


def formula(
    blocks: Blocks,
    activation: str,
    language: str,
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
) -> str:
    """Return the text of a network's formulas.

    Parameters
    ----------
    blocks : Blocks
        Finite parameters.
    activation : str
        Name of σ.
    language : str
        One of LANGUAGES.
    inputs, outputs : sequence of str or None
        Their names; None takes A2, B2, … in Excel, elsewhere x1, x2, … and y or y1, y2, …

    Raises
    ------
    TypeError, ValueError
        A name is not allowed, the network is too large, or a formula is too long for Excel.
    """
    (m, e), s = blocks.W_h.shape, blocks.b_y.size
    _require_small(e, m)
    if inputs is None:
        inputs = [f"{_column(j)}2" if language == "excel" else f"x{j + 1}" for j in range(e)]
    inputs = checked("inputs", inputs, e, INPUTS[language], language)
    if outputs is not None:
        outputs = checked("outputs", outputs, s, OUTPUTS[language], language)
    if language == "excel":
        return _excel(blocks, activation, inputs, outputs)
    names = outputs or (["y"] if s == 1 else [f"y{o + 1}" for o in range(s)])
    require_no_name_twice(inputs, names)
    form = FORMS[language]
    parts = [form.sigma.format(sigma=SIGMA[language][activation])]
    hidden = [f"sigma({z})" for z in _hidden_sums(blocks, inputs, repr, form.times, " ")]
    for o, name in enumerate(names):
        terms = _sum(blocks.W_y[o], hidden, blocks.b_y[o], repr, form.times, " ")
        text = form.line_end.join(form.indent + term for term in terms)
        parts.append(form.output.format(name=name, inputs=", ".join(inputs), terms=text))
    return "\n".join(parts).rstrip()


def _excel(
    blocks: Blocks, activation: str, inputs: Sequence[str], headings: Sequence[str] | None
) -> str:
    """Return one formula for each output, with tabs between them; headings are a line above."""
    sums = _hidden_sums(blocks, inputs, _excel_number, "*", "")
    hidden = [SIGMA["excel"][activation].format(z=z) for z in sums]
    formulas = []
    for o, weights in enumerate(blocks.W_y):
        terms = _sum(weights, hidden, blocks.b_y[o], _excel_number, "*", "")
        formulas.append("=" + "".join(terms))
    longest = max(map(len, formulas))
    if longest > EXCEL_CHARACTERS:
        expected = f"have formulas of at most {EXCEL_CHARACTERS} characters for Excel"
        remedy = "Train with fewer hidden units, or take another language or to_c."
        raise ValueError(message("the network", expected, f"{longest} characters", remedy))
    lines = [formulas] if headings is None else [headings, formulas]
    return "\n".join("\t".join(line) for line in lines)


def _excel_number(value: float) -> str:
    """Return a number with 15 digits: Excel reads no more."""
    return f"{value:.15g}".upper()


def _column(j: int) -> str:
    """Return the name of column j of a sheet: A for 0, AA for 26."""
    name = ""
    while j >= 0:
        j, letter = j // 26 - 1, j % 26
        name = chr(ord("A") + letter) + name
    return name


def _require_small(e: int, m: int) -> None:
    if max(e, m) > LARGEST:
        expected = f"have at most {LARGEST} inputs and {LARGEST} hidden units for a formula"
        got = f"{e} inputs and {m} hidden units"
        raise ValueError(message("the network", expected, got, "Write it with to_c or save."))


def _hidden_sums(
    blocks: Blocks, inputs: Sequence[str], number: Callable[[float], str], times: str, space: str
) -> list[str]:
    """Return z = W_h x + b_h of each hidden unit."""
    return [
        space.join(_sum(weights, inputs, bias, number, times, space))
        for weights, bias in zip(blocks.W_h, blocks.b_h, strict=True)
    ]


def _sum(
    weights: Array,
    factors: Sequence[str],
    constant: float,
    number: Callable[[float], str],
    times: str,
    space: str,
) -> list[str]:
    """Return the terms of weights · factors + constant, each with its sign."""
    values = [*weights.tolist(), float(constant)]
    texts = [
        f"{number(abs(value))}{times}{factor}"
        for value, factor in zip(values, factors, strict=False)
    ]
    texts.append(number(abs(values[-1])))
    signs = [f"-{space}" if value < 0 else f"+{space}" for value in values]
    signs[0] = "-" if values[0] < 0 else ""
    return [sign + text for sign, text in zip(signs, texts, strict=True)]
