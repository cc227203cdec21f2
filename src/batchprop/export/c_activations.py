"""σ and σ′ as the bodies of C functions of z.

σ′ is a function of z with its own formula, as in the naive engine: 1 − tanh(z)² would cancel.  No
formula overflows, and NaN stays NaN.  The texts are for double; ``in_float`` makes them float.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LOGISTIC = """\
const double e = exp(-fabs(z));
return z < 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e);"""


class Bodies(NamedTuple):
    """The bodies of two C functions that take ``double z`` and return double."""

    sigma: str
    sigma_prime: str


ACTIVATIONS = {
    "identity": Bodies("return z;", "(void)z;\nreturn 1.0;"),
    "logistic": Bodies(
        _LOGISTIC, "const double e = exp(-fabs(z));\nreturn e / ((1.0 + e) * (1.0 + e));"
    ),
    "tanh": Bodies(
        "return tanh(z);",
        "const double e = exp(-2.0 * fabs(z));\nreturn 4.0 * e / ((1.0 + e) * (1.0 + e));",
    ),
    "relu": Bodies("return z <= 0.0 ? 0.0 : z;", "return z <= 0.0 ? 0.0 : 1.0;"),
    "softplus": Bodies("return (z <= 0.0 ? 0.0 : z) + log1p(exp(-fabs(z)));", _LOGISTIC),
    "elu": Bodies("return z > 0.0 ? z : expm1(z);", "return z > 0.0 ? 1.0 : exp(z);"),
    "softsign": Bodies(
        "return z / (1.0 + fabs(z));",
        "const double r = 1.0 / (1.0 + fabs(z));\nreturn r * r;",
    ),
}


def in_float(code: str) -> str:
    """Return C code for double as code for float: the type, the functions and the literals."""
    code = re.sub(r"\bdouble\b", "float", code)
    code = re.sub(r"\b(exp|expm1|fabs|log1p|tanh)\(", r"\1f(", code)
    return re.sub(r"(\d\.\d)\b", r"\1f", code)
