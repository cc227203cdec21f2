"""Which way round tables are meant, judging by their shapes.

Shapes that do not fit are answered by what would make them fit: of all ways to turn the tables the
one with the most samples, so that no remedy makes inputs of samples.  Shapes that fit may still be
the wrong way round: as many outputs as inputs, and both far more than samples.
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
# Tables of one shape, e = s, are questioned when they have more than this many rows a column: with
# samples as columns that is a map between long vectors, learnt from a handful of them.
_FAR_ABOVE = 2


class _Way(NamedTuple):
    """A way to turn both tables."""

    x: str  # what to write after the name of the inputs
    t: str
    n_samples: int


def seem_transposed(x: _Sizes, t: _Sizes) -> bool:
    """Tell whether rows of both tables seem to be samples, though their shapes agree."""
    return x == t and x[0] > _FAR_ABOVE * x[1]


def tables_remedy(
    x: _Sizes, t: _Sizes, names: tuple[str, str], n_inputs: int | None, n_outputs: int | None
) -> str | None:
    """Return how to turn tables of these shapes so that they fit; None if no way does.

    Parameters
    ----------
    x, t : tuple of int
        The shapes that were given.
    names : tuple of two str
        Of the two tables.
    n_inputs, n_outputs : int or None
        e and s, where a network or other tables say them.
    """
    ways = [
        _Way(after_x, after_t, of_x[1])
        for (after_x, of_x), (after_t, of_t) in itertools.product(_turned(x), _turned(t))
        if of_x[1] == of_t[1]
        and n_inputs in (None, of_x[0])
        and n_outputs in (None, of_t[0])
        and not _one_sample(of_x, of_t, n_inputs, n_outputs)
    ]
    if not ways:
        return None
    best = max(ways, key=_preference)
    pieces = [f"{name}{after}" for name, after in zip(names, best[:2], strict=True) if after]
    told = f"{' and '.join(pieces)}."
    if ".T" in best[:2]:
        return f"Rows seem to be samples: pass {told}"
    square = len(x) == 2 and x[0] == x[1] and n_inputs in (None, x[0])
    doubt = f" If rows of {names[0]} are samples, pass {names[0]}.T as well." if square else ""
    return f"Pass {told}{doubt}"


def inputs_remedy(x: _Sizes, name: str, n_inputs: int | None) -> str | None:
    """Return the same for inputs alone, as for a prediction."""
    if n_inputs is None:
        return None
    ways = [(after, of_x[1]) for after, of_x in _turned(x) if of_x[0] == n_inputs]
    if not ways:
        return None
    after = max(ways, key=lambda way: way[1])[0]
    if after == ".T":
        return f"Rows seem to be samples: pass {name}.T."
    one = "one sample" if after == "[:, np.newaxis]" and n_inputs > 1 else "one input"
    return f"Pass {name}{after} if it is {one}."


def _turned(given: _Sizes) -> Iterator[tuple[str, _Sizes]]:
    """Yield what to write after a table's name, and the shape that this has."""
    if 0 in given:
        return
    if len(given) == 2:
        yield "", given
        yield ".T", given[::-1]
    elif len(given) == 1:
        for after, shape_of in _FLAT.items():
            yield after, shape_of(given[0])


def _one_sample(x: _Sizes, t: _Sizes, n_inputs: int | None, n_outputs: int | None) -> bool:
    """Tell whether a way makes one sample of a table, with nothing that says so many inputs."""
    return x[1] == 1 and ((n_inputs is None and x[0] > 1) or (n_outputs is None and t[0] > 1))


def _preference(way: _Way) -> tuple[int, bool, int]:
    """Return more for a better way: most samples, both tables alike, least to turn."""
    tables = [after for after in way[:2] if after in ("", ".T")]
    return way.n_samples, len(set(tables)) < 2, -sum(map(bool, way[:2]))
