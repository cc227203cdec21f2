"""The cases of the report, and their selection on the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from benchmarks.cases import Case, by_name, case

# Groups of cases: name -> (e, m, s), N, and pairs of activation and dtype.
Sizes = tuple[int, int, int]
TABLE: dict[str, tuple[Sizes, int, list[str]]] = {
    "seed": ((1, 4, 1), 100, ["logistic/float64"]),
    "curve": ((1, 64, 1), 10_000, ["tanh/float32", "tanh/float64"]),
    "uci": (
        (8, 50, 1),
        9_568,
        ["tanh/float32", "tanh/float64", "relu/float32", "relu/float64"],
    ),
    "year": ((90, 100, 1), 463_715, ["relu/float32", "tanh/float32"]),
    "multi": ((64, 256, 16), 100_000, ["tanh/float32", "tanh/float64"]),
    "wide": ((784, 1024, 10), 20_000, ["relu/float32"]),
    "hundreds": ((400, 500, 3), 20_000, ["relu/float64"]),
    "long": ((8, 50, 1), 10_000_000, ["tanh/float32"]),
}
# Sizes that are multiples of no vector, tile or block.
ODD: dict[str, tuple[Sizes, int, list[str]]] = {
    "odd-small": ((3, 37, 2), 12_347, ["tanh/float32", "relu/float64"]),
    "odd-one-output": ((13, 29, 1), 4_999, ["relu/float32", "tanh/float64"]),
    "odd-narrow": ((17, 5, 3), 100_003, ["logistic/float32"]),
    "odd-medium": ((33, 97, 5), 20_011, ["tanh/float32", "relu/float64"]),
    "odd-many-outputs": ((13, 131, 7), 50_021, ["relu/float32", "tanh/float64"]),
    "odd-large": ((101, 203, 7), 10_007, ["relu/float32", "tanh/float64"]),
    "odd-few-samples": ((257, 511, 3), 3_001, ["tanh/float32", "relu/float64"]),
}
# Time against N, of two networks, beside the libraries that are fastest on them.
SWEEPS: dict[Sizes, tuple[int, ...]] = {
    (8, 50, 1): (50, 200, 1_000, 5_000, 20_000, 100_000, 1_000_000),
    (64, 256, 16): (50, 200, 1_000, 5_000, 20_000, 100_000),
}
SWEEP = {
    f"sweep-{e}-{m}-{s}-{n_samples}": ((e, m, s), n_samples, ["tanh/float32"])
    for (e, m, s), counts in SWEEPS.items()
    for n_samples in counts
}
SWEEP_PEERS = ("ours", "numpy_full", "numpy_blocked", "jax_loop")


def _listed(described: dict[str, tuple[Sizes, int, list[str]]]) -> list[Case]:
    return [
        case(*sizes, n_samples, *form.split("/"), name=f"{name}/{form}")
        for name, (sizes, n_samples, forms) in described.items()
        for form in forms
    ]


GROUPS = {"table": _listed(TABLE), "odd": _listed(ODD), "sweep": _listed(SWEEP)}


def in_sweep(case: Case) -> bool:
    """Return whether a case is only a point of the plots against N."""
    return case.name.split("/")[0] in SWEEP


def read(path: Path) -> list[Case]:
    """Read additional cases: ``{"mine": [e, m, s, N, ["tanh/float32", …]]}``."""
    described = json.loads(path.read_text("utf-8"))
    return _listed({name: ((e, m, s), n, forms) for name, (e, m, s, n, forms) in described.items()})


def choose(words: Sequence[str], more: Sequence[Case] = ()) -> list[Case]:
    """Return the selected cases: by group, name, or a pattern such as ``uci*float32``.

    A name without activation and dtype selects all forms.  Cases in ``more`` are always included.
    """
    known = by_name([entry for group in GROUPS.values() for entry in group] + list(more))
    chosen: dict[str, Case] = {}
    for word in words:
        names = {entry.name for entry in GROUPS.get(word, ())} | {
            name for name in known if fnmatch(name, word) or fnmatch(name, f"{word}/*")
        }
        if not names:
            groups, heads = ", ".join(GROUPS), ", ".join(sorted({n.split("/")[0] for n in known}))
            raise SystemExit(f"No case is called {word!r}; there are the groups {groups}; {heads}.")
        chosen |= {name: known[name] for name in known if name in names}
    return list((chosen | {entry.name: entry for entry in more}).values())
