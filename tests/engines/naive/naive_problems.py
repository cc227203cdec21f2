"""Problems and a measure of agreement for the tests of the naive engine."""

from __future__ import annotations

import random


def scalar_problem(m, n_samples, seed):
    """Parameters of a 1-m-1 network and data, as keyword arguments for the scalar forms."""
    draw = random.Random(seed)

    def normal(count):
        return [draw.gauss(0.0, 1.0) for _ in range(count)]

    return {
        "W_h": [[w] for w in normal(m)],
        "b_h": normal(m),
        "W_y": [normal(m)],
        "b_y": normal(1),
        "x": normal(n_samples),
        "t": [value + 1.5 for value in normal(n_samples)],
    }


def matrix_problem(e, m, s, n_samples, seed):
    """Parameters of an e-m-s network and data, as keyword arguments for the matrix form."""
    draw = random.Random(seed)

    def normal(rows, columns):
        return [[draw.gauss(0.0, 1.0) for _ in range(columns)] for _ in range(rows)]

    return {
        "W_h": normal(m, e),
        "b_h": normal(1, m)[0],
        "W_y": normal(s, m),
        "b_y": normal(1, s)[0],
        "X": normal(e, n_samples),
        "T": [[value + 1.5 for value in row] for row in normal(s, n_samples)],
    }


def flat(block):
    """One list of the numbers of a float, a list or a nested list."""
    if not hasattr(block, "__len__"):
        return [float(block)]
    return [number for part in block for number in flat(part)]


def relative_error(value, reference):
    """Largest difference in a block, relative to the largest entry of the reference."""
    value, reference = flat(value), flat(reference)
    assert len(value) == len(reference)
    largest = max(abs(number) for number in reference)
    difference = max(abs(a - b) for a, b in zip(value, reference, strict=True))
    return difference if largest == 0.0 else difference / largest
