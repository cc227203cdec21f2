"""How a bad argument has to be answered: one error, at once, in three parts."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest

# "<name> must <expected>; got <given>. <remedy>."
FORM = re.compile(r"^[\w. ]+ must .+; got .+[.?] .+[.?]$", re.DOTALL)


class Bad(NamedTuple):
    """A call's changed arguments, and the parts of the answer."""

    arguments: dict[str, Any]
    error: type[Exception]
    expected: str
    got: str
    remedy: str


def assert_told(call, bad):
    """Call, and compare the one error with what it should say."""
    arrays = [value for value in bad.arguments.values() if hasattr(value, "tobytes")]
    before = [array.tobytes() for array in arrays]
    with pytest.raises((TypeError, ValueError)) as raised:
        call(**bad.arguments)
    error = raised.value
    text = str(error)
    assert type(error) is bad.error, text
    assert error.__suppress_context__ or error.__context__ is None, "one error, not a chain of them"
    assert FORM.match(text), text
    expected, rest = text.split("; got ", 1)
    assert bad.expected in expected, text
    assert bad.got in rest, text
    assert bad.remedy in rest, text
    assert rest.index(bad.got) < rest.rindex(bad.remedy), text
    assert len(text) < 400, text
    assert [array.tobytes() for array in arrays] == before


class NoEngine:
    """Stands in for every engine: to reach it is to have begun to work."""

    def __init__(self, *arguments, **options):
        raise AssertionError("work was begun with bad input")

    Objective = predict = classmethod(__init__)
