"""A network as one C header: constant tables, the prediction and its Jacobian.

The header needs nothing but <math.h>.  Hidden units are computed one after the other, so that no
array of m numbers is needed.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.export.c_activations import ACTIVATIONS, in_float
from batchprop.parameters import Blocks
from batchprop.version import __version__

Array = npt.NDArray[Any]

SHORT, WIDTH = 64, 90  # characters of numbers beside a brace, and on a line of their own

_COMMENT = """\
/*
 * $name: a network with one hidden layer, written by batchprop $version.
 *
 *     h = sigma(W_h x + b_h),  y = W_y h + b_y
 *
 * $sizes.
 * The activation sigma is $activation. All arithmetic is in $real.
 * Inputs and outputs are in the units of the data that the network was trained on.
 *
 *     x[j]$pad     input j: row j of X in batchprop
 *     y[o]$pad     output o: row o of Y$jacobian_row
 *
 * Example:
 *
 *     #include "$file"
 *
 *     $real x[$e] = {0}, y[$s]$jacobian_variable;
 *     ${name}_predict(x, y);$jacobian_call
 *
 * C99 and C++11; link with -lm where the system asks for it. Nothing is allocated and no state is
 * kept: any number of threads may call these functions. x must not overlap the results.
 */
#ifndef BATCHPROP_${name}_H
#define BATCHPROP_${name}_H

#include <math.h>

enum { ${name}_n_inputs = $e, ${name}_n_hidden = $m, ${name}_n_outputs = $s };
"""

_FUNCTION = """
static inline double ${name}_$function(const double z)
{
$body
}
"""

_PREDICT = """
/* Write the outputs for the inputs x to y. */
static inline void ${name}_predict(const double x[$e], double y[$s])
{
    int j, k, o;
    for (o = 0; o < $s; ++o) {
        y[o] = 0.0;
    }
    for (k = 0; k < $m; ++k) {
        double z = 0.0, h;
        for (j = 0; j < $e; ++j) {
            z += ${name}_W_h[k][j] * x[j];
        }
        h = ${name}_sigma(z + ${name}_b_h[k]);
        for (o = 0; o < $s; ++o) {
            y[o] += ${name}_W_y[o][k] * h;
        }
    }
    for (o = 0; o < $s; ++o) {
        y[o] += ${name}_b_y[o];
    }
}
"""

_JACOBIAN = """
/* Write the outputs to y and their derivatives with respect to the inputs to dydx. */
static inline void ${name}_jacobian(const double x[$e], double y[$s], double dydx[$n_slopes])
{
    int j, k, o;
    for (o = 0; o < $s; ++o) {
        y[o] = 0.0;
        for (j = 0; j < $e; ++j) {
            dydx[$e * o + j] = 0.0;
        }
    }
    for (k = 0; k < $m; ++k) {
        double z = 0.0, h, dh;
        for (j = 0; j < $e; ++j) {
            z += ${name}_W_h[k][j] * x[j];
        }
        z += ${name}_b_h[k];
        h = ${name}_sigma(z);
        dh = ${name}_sigma_prime(z);
        for (o = 0; o < $s; ++o) {
            const double w = ${name}_W_y[o][k];
            y[o] += w * h;
            for (j = 0; j < $e; ++j) {
                dydx[$e * o + j] += w * dh * ${name}_W_h[k][j];
            }
        }
    }
    for (o = 0; o < $s; ++o) {
        y[o] += ${name}_b_y[o];
    }
}
"""


def c_header(blocks: Blocks, activation: str, name: str, path: Path, *, jacobian: bool) -> str:
    """Return the text of a header.

    Parameters
    ----------
    blocks : Blocks
        Finite parameters; their dtype is that of the C code, double or float.
    activation : str
        Name of σ.
    name : str
        What all names in the header begin with.
    path : Path
        The header's path, for the example in it.
    jacobian : bool
        Whether the header has the Jacobian.
    """
    (m, e), s = blocks.W_h.shape, blocks.b_y.size
    is_double = blocks.W_h.dtype == np.float64
    functions = ["sigma", "sigma_prime"] if jacobian else ["sigma"]
    code = _PREDICT + _JACOBIAN if jacobian else _PREDICT
    bodies = ACTIVATIONS[activation]._asdict()
    for function in reversed(functions):
        body = textwrap.indent(bodies[function], "    ")
        code = Template(_FUNCTION).safe_substitute(function=function, body=body) + code
    code = code if is_double else in_float(code)
    slope = f"dydx[{e} * o + j]"
    values = {
        "name": name,
        "version": __version__,
        "sizes": ", ".join(
            (_number_of(e, "input"), _number_of(m, "hidden unit"), _number_of(s, "output"))
        ),
        "activation": activation,
        "real": "double" if is_double else "float",
        "file": path.name if re.fullmatch(r"[\w.-]+", path.name, re.ASCII) else f"{name}.h",
        "e": e,
        "m": m,
        "s": s,
        "n_slopes": s * e,
        "pad": " " * (len(slope) - 4) if jacobian else "",
        "jacobian_row": f"\n *     {slope}     derivative of output o with respect to input j"
        if jacobian
        else "",
        "jacobian_variable": f", dydx[{s * e}]" if jacobian else "",
        "jacobian_call": f"\n *     {name}_jacobian(x, y, dydx);" if jacobian else "",
    }
    tables = "".join(_table(f"{name}_{block}", array) for block, array in blocks._asdict().items())
    head = Template(_COMMENT).substitute(values)
    return f"{head}\n{tables}{Template(code).substitute(values)}\n#endif\n"


def _number_of(count: int, noun: str) -> str:
    return f"{count} {noun}{'s'[: count != 1]}"


def _table(name: str, block: Array) -> str:
    """Return the definition of a constant array with one or two axes."""
    real = "double" if block.dtype == np.float64 else "float"
    sizes = "".join(f"[{size}]" for size in block.shape)
    if block.ndim == 1:
        content = _row(block)
    else:
        rows = ",\n".join(map(_row, block))
        content = f"{{\n{textwrap.indent(rows, '    ')}\n}}"
    return f"static const {real} {name}{sizes} = {content};\n"


def _row(values: Array) -> str:
    """Return numbers in braces, on as many lines as they need."""
    text = ", ".join(_literals(values))
    if len(text) <= SHORT:
        return f"{{{text}}}"
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "{\n    " + "\n    ".join(lines) + "\n}"


def _literals(values: Array) -> Iterator[str]:
    """Yield literals that C reads as exactly these numbers."""
    digits, suffix = (17, "") if values.dtype == np.float64 else (9, "f")
    for value in values.tolist():
        text = f"{value:.{digits}g}"
        yield (text if "." in text or "e" in text else f"{text}.0") + suffix
