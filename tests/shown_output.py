"""Whether a printed text is what a page shows: words must agree, numbers only nearly.

Results differ a little between processors, and times between runs.  So these are not compared:

- what ``...`` stands for, on one line or on several,
- times: a number before ns, µs, ms, s, min or seconds,
- counts of work: a number before epochs, iterations, steps, evaluations or fits,
- the amount of white space.

A number with a point or an exponent may differ by 2 % of itself, or by one in the last digit
that the page shows, if that is at most half of the number.  A number below 1e-7 that has an
exponent is the size of an error: what is printed may be smaller, or up to a hundred times as large.
Integers and words must be equal.
"""

from __future__ import annotations

import re
from decimal import Decimal

TOLERANCE = 2e-2  # relative
ERROR_SIZE = 1e-7
_SIGN = r"(?:(?<![\w.)\]])[-+−])?"
_DECIMAL = r"(?:\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)"
_ANY = rf"{_SIGN}(?:{_DECIMAL}|\d[\d,]*)"
_UNITS = r"(?:ns|µs|ms|s|min|seconds?|epochs?|iterations?|steps?|evaluations?|fits?)\b"
_TOKEN = re.compile(
    rf"(?P<prefix>{_SIGN}{_DECIMAL}\.\.\.)"  # digits of which the page shows the first
    rf"|(?P<dots>\.\.\.|…)"
    rf"|(?P<free>{_ANY})(?P<unit>\s*{_UNITS})"
    rf"|(?P<number>{_SIGN}{_DECIMAL})(?![\w])"
    rf"|(?P<space>\s+)"
)


def _tidy(text: str) -> str:
    """Return a text without the blanks that only align columns."""
    text = re.sub(r"([\[(])\s+", r"\1", text.replace("−", "-"))
    return re.sub(r"\s+([\])])", r"\1", text).strip()


def _pattern(shown: str) -> tuple[re.Pattern[str], list[str]]:
    """Return a pattern for what is shown, and the numbers that its groups must be near."""
    parts, numbers, end = [], [], 0
    for match in _TOKEN.finditer(shown):
        parts.append(re.escape(shown[end : match.start()]))
        end = match.end()
        if match["prefix"]:
            parts.append(re.escape(match["prefix"][:-3]) + r"[\d.eE+-]*")
        elif match["dots"]:
            parts.append(r".*?")
        elif match["free"]:
            parts.append(rf"{_ANY}\s*{_UNITS}")
        elif match["number"]:
            parts.append(rf"({_SIGN}(?:{_DECIMAL}|\d+))")
            numbers.append(match["number"])
        else:
            parts.append(r"\s+")
    parts.append(re.escape(shown[end:]))
    return re.compile("".join(parts), re.DOTALL), numbers


def _near(shown: str, printed: str) -> bool:
    if "e" in shown.lower() and abs(float(shown)) < ERROR_SIZE:
        return abs(float(printed)) <= 100 * max(abs(float(shown)), 1e-16)
    digit = 1.001 * 10.0 ** Decimal(shown).as_tuple().exponent  # 0.01 for 2.50, 100 for 1.2e3
    size = abs(float(shown))
    if size:
        digit = min(digit, size / 2)  # 0.01 is not 0.02
    return abs(float(printed) - float(shown)) <= max(TOLERANCE * size, digit)


def agrees(shown: str, printed: str) -> bool:
    """Tell whether a page shows what was printed."""
    pattern, numbers = _pattern(_tidy(shown))
    match = pattern.fullmatch(_tidy(printed))
    return match is not None and all(map(_near, numbers, match.groups()))
