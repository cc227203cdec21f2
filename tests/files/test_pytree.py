"""Nested NamedTuples of arrays: copied, taken apart and put together again."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from batchprop.files import pytree


class Inner(NamedTuple):
    history: Any
    count: Any


class Outer(NamedTuple):
    theta: Any
    memory: Any
    nothing: Any


def tree(value=1.0):
    inner = Inner(np.full((2, 3), value), np.full(1, int(value)))
    return Outer(np.full(4, value, np.float32), inner, np.empty((0, 4)))


def reading(arrays):
    return lambda name, shape, dtype: arrays[name]


def test_names():
    assert list(pytree.flatten(tree(), "s")) == [
        "s.theta",
        "s.memory.history",
        "s.memory.count",
        "s.nothing",
    ]
    assert list(pytree.flatten(np.zeros(2), "s")) == ["s"]


def test_there_and_back():
    made = pytree.flatten(tree(7.0), "s")
    again = pytree.restored(tree(), "s", reading(made))
    assert type(again) is Outer
    assert type(again.memory) is Inner
    for name, array in pytree.flatten(again, "s").items():
        assert array.dtype == made[name].dtype
        np.testing.assert_array_equal(array, made[name])


def test_copies_are_independent():
    first = tree()
    second = pytree.copied(first)
    assert type(second.memory) is Inner
    for array in pytree.flatten(second, "").values():
        array[:] = 9
    for name, array in pytree.flatten(first, "").items():
        np.testing.assert_array_equal(array, pytree.flatten(tree(), "")[name])


def test_each_part_is_asked_for_by_its_name_and_form():
    asked = []

    def read(name, shape, dtype):
        asked.append((name, shape, dtype))
        return np.zeros(shape, dtype)

    pytree.restored(tree(), "s", read)
    whole = pytree.flatten(tree(), "s").items()
    assert asked == [(name, array.shape, array.dtype) for name, array in whole]


def test_hollow_arrays_have_a_form_and_no_memory():
    array = pytree.hollow((10**6, 10**6), np.float32)
    assert (array.shape, array.dtype, array.strides) == ((10**6, 10**6), np.float32, (0, 0))
    with pytest.raises(ValueError, match="too large"):
        pytree.hollow((10**18, 10**18))


def test_zeros_in_the_place_of_each_array():
    like = tree()._replace(theta=pytree.hollow((3,), np.float32))
    made = pytree.zeros(like)
    assert type(made.memory) is Inner
    for name, array in pytree.flatten(made, "s").items():
        assert array.flags.writeable
        assert not array.any()
        expected = pytree.flatten(like, "s")[name]
        assert (array.shape, array.dtype) == (expected.shape, expected.dtype)
