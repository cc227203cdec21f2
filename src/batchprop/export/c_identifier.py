"""Names that C and C++ allow for the functions of a header."""

from __future__ import annotations

import re
from pathlib import Path

from batchprop.validation.error_text import described, message

LONGEST = 48  # C99 tells names apart by 63 characters; the longest addition is "_sigma_prime"
_KEYWORDS = set(
    re.findall(
        r"\w+",
        """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
    char32_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
    constinit continue decltype default delete do double dynamic_cast else enum explicit export
    extern false float for friend goto if import inline int long module mutable namespace new
    noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast
    struct switch template this thread_local throw true try typedef typeid typename typeof
    typeof_unqual union unsigned using virtual void volatile wchar_t while xor xor_eq
    """,
    )
)
_EXPECTED = (
    f"be an identifier of C and C++: at most {LONGEST} characters of a to z, A to Z, 0 to 9 and _; "
    "a letter first, no _ last, no two _ together, and no keyword"
)


def c_identifier(name: object, path: Path) -> str:
    """Return the name that the functions of a header begin with.

    Parameters
    ----------
    name : str or None
        The name; None takes the file's name without its suffix.
    path : Path
        The header's path.

    Raises
    ------
    TypeError, ValueError
        The name is no string, or C or C++ does not allow it.
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(message("name", _EXPECTED, described(name), "Pass, for example, 'net'."))
    text = path.stem if name is None else name
    if _is_identifier(text):
        return text
    got = repr(text[: 2 * LONGEST]) + (", the name of the file" if name is None else "")
    raise ValueError(
        message("name", _EXPECTED, got, f"Pass, for example, name={_similar(text)!r}.")
    )


def _is_identifier(text: str) -> bool:
    pattern = r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*"  # functions add _ and their name
    return (
        len(text) <= LONGEST and re.fullmatch(pattern, text) is not None and text not in _KEYWORDS
    )


def _similar(text: str) -> str:
    """Return an identifier that resembles a text."""
    words = "_".join(re.findall(r"[A-Za-z0-9]+", text))
    candidates = (words, f"net_{words}", words[: LONGEST - 8], f"net_{words[: LONGEST - 8]}")
    return next(filter(_is_identifier, candidates), "net")
