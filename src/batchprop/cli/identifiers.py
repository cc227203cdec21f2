"""Names of columns as identifiers of a programming language."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_LONGEST = 60  # characters; MATLAB allows 63


def identifiers(names: Sequence[str], unusable: Collection[str]) -> list[str]:
    """Return names of ASCII letters, digits and underscores, each different from all others.

    Parameters
    ----------
    names : sequence of str
        Any names: ``engine size`` becomes ``engine_size``, ``2nd`` becomes ``x2nd``.
    unusable : collection of str
        Identifiers that are not to be used, such as keywords.
    """
    used = set(unusable)
    result = []
    for name in names:
        base = re.sub(r"[^A-Za-z0-9_]+", "_", name)[:_LONGEST].strip("_")
        if not base or not base[0].isalpha():
            base = f"x{base}"
        identifier, k = base, 2
        while identifier in used:
            identifier, k = f"{base}_{k}", k + 1
        used.add(identifier)
        result.append(identifier)
    return result
