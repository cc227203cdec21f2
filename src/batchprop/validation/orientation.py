"""Recognition of tables that are passed transposed, from their shapes.

If the shapes do not fit, the error message proposes how to index the tables so that they do.  Of
all possibilities the one with the most samples is proposed, so that samples are not mistaken for
inputs.  Tables whose shapes do fit may still be transposed: if there are as many outputs as inputs,
and far more of both than samples.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

_Sizes = tuple[int, ...]

_FLAT: dict[str, Callable[[int], _Sizes]] = {
    "[np.newaxis, :]": lambda n: (1, n),
    "[:, np.newaxis]": lambda n: (n, 1),
}
# Tables of equal shape (e = s) are suspicious with more than this many rows per column: if samples
# were columns, that would be a map between long vectors learnt from a handful of examples.
_SUSPICIOUS_RATIO = 2


class _Indexing(NamedTuple):
    """One way to index both tables."""

    x: str  # code that follows the name of the inputs
    t: str
    n_samples: int


def seem_transposed(x: _Sizes, t: _Sizes) -> bool:
    """Return whether both tables seem to have samples as rows, although their shapes agree."""
    return x == t and x[0] > _SUSPICIOUS_RATIO * x[1]


def tables_remedy(
    x: _Sizes, t: _Sizes, names: tuple[str, str], n_inputs: int | None, n_outputs: int | None
) -> str | None:
    """Return advice how to index tables of these shapes so that they fit; None if impossible.

    Parameters
    ----------
    x, t : tuple of int
        Shapes as passed.
    names : tuple of two str
        Names of the two tables.
    n_inputs, n_outputs : int or None
        e and s, if a network or other tables determine them.
    """
    candidates = [
        _Indexing(suffix_x, suffix_t, x_indexed[1])
        for (suffix_x, x_indexed), (suffix_t, t_indexed) in itertools.product(
            _indexings(x), _indexings(t)
        )
        if x_indexed[1] == t_indexed[1]
        and n_inputs in (None, x_indexed[0])
        and n_outputs in (None, t_indexed[0])
        and not _makes_one_sample(x_indexed, t_indexed, n_inputs, n_outputs)
    ]
    if not candidates:
        return None
    best = max(candidates, key=_preference)
    expressions = [
        f"{name}{suffix}" for name, suffix in zip(names, best[:2], strict=True) if suffix
    ]
    advice = f"{' and '.join(expressions)}."
    if ".T" in best[:2]:
        return f"Rows seem to be samples: pass {advice}"
    square = len(x) == 2 and x[0] == x[1] and n_inputs in (None, x[0])
    doubt = f" If rows of {names[0]} are samples, pass {names[0]}.T as well." if square else ""
    return f"Pass {advice}{doubt}"


def inputs_remedy(x: _Sizes, name: str, n_inputs: int | None) -> str | None:
    """Return the same advice for inputs alone, as in a prediction."""
    if n_inputs is None:
        return None
    candidates = [
        (suffix, x_indexed[1]) for suffix, x_indexed in _indexings(x) if x_indexed[0] == n_inputs
    ]
    if not candidates:
        return None
    suffix = max(candidates, key=lambda candidate: candidate[1])[0]
    if suffix == ".T":
        return f"Rows seem to be samples: pass {name}.T."
    meaning = "one sample" if suffix == "[:, np.newaxis]" and n_inputs > 1 else "one input"
    return f"Pass {name}{suffix} if it is {meaning}."


def _indexings(shape: _Sizes) -> Iterator[tuple[str, _Sizes]]:
    """Yield the ways to index a table: the code after its name, and the resulting shape."""
    if 0 in shape:
        return
    if len(shape) == 2:
        yield "", shape
        yield ".T", shape[::-1]
    elif len(shape) == 1:
        for suffix, shape_of in _FLAT.items():
            yield suffix, shape_of(shape[0])


def _makes_one_sample(x: _Sizes, t: _Sizes, n_inputs: int | None, n_outputs: int | None) -> bool:
    """Return whether a table would become a single sample although its size is not prescribed."""
    return x[1] == 1 and ((n_inputs is None and x[0] > 1) or (n_outputs is None and t[0] > 1))


def _preference(candidate: _Indexing) -> tuple[int, bool, int]:
    """Return a sort key: most samples, then the same indexing of both tables, then the shortest."""
    tables = [suffix for suffix in candidate[:2] if suffix in ("", ".T")]
    return candidate.n_samples, len(set(tables)) < 2, -sum(map(bool, candidate[:2]))
