"""When α = 0 has the last word."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from batchprop.parameters import Shape
from batchprop.training.evidence import last_word
from batchprop.training.evidence.evidence import Evidence
from batchprop.training.evidence.path import Path, Point


def path(noise, improvement):
    """A path that is at 10⁻³ and ends at 10⁻¹¹, where √MSE is ``improvement`` times as large."""
    made = object.__new__(Path)
    known = Evidence(0.0, 1.0, noise**2)
    made.proxy = None
    made.points = [Point(-3, None, known, 1.0, 0.0), Point(-11, None, known, improvement**2, 0.0)]
    return made


@pytest.mark.parametrize(
    ("noise", "error", "exponent", "expected"),
    [(0.1, 1.0, -2.0, True), (0.3, 1.0, -2.0, False), (math.nan, 1.0, -2.0, False),
     (0.1, math.nan, -2.0, False), (0.1, 0.0, -2.0, False), (0.3, 1.0, -3.2, True),
     (0.3, math.nan, -3.2, False)],
)  # fmt: skip
def test_it_is_heard_where_noise_or_penalty_is_small_and_samples_judge(
    noise, error, exponent, expected
):
    made = path(noise, 1.0)
    made.points[0] = made.points[0]._replace(error=error)
    assert last_word.is_called_for(made, exponent) == expected


@pytest.mark.parametrize(
    ("of_zero", "of_chosen", "noise", "change", "exponent", "wins"),
    [
        (0.07, 0.05, 0.15, 1.5, -3.0, True),  # the noise was the error of a small network
        (0.08, 0.05, 0.15, 1.5, -3.0, False),
        (0.08, 0.16, 0.04, 1.1, -3.0, True),  # a better network outweighs a path that rises
        (0.16, 0.16, 0.04, 0.5, -3.0, True),  # a path that falls outweighs an equal network
        (0.16, 0.16, 0.04, 0.7, -3.0, False),
        (0.16, 0.16, 0.06, 0.5, -3.0, False),  # too noisy for that
        (0.11, 0.10, 0.01, 1.0, -7.0, True),  # the chosen α is next to nothing
        (0.14, 0.10, 0.01, 1.0, -7.0, True),
        (0.16, 0.10, 0.01, 1.0, -7.0, False),
        (0.11, 0.10, 0.01, 1.0, -5.0, False),
        (0.11, 0.10, 0.20, 1.0, -4.5, True),  # beside the noise, too
        (0.11, 0.10, 0.20, 1.0, -4.3, False),
    ],
)
def test_the_three_cases(monkeypatch, of_zero, of_chosen, noise, change, exponent, wins):
    monkeypatch.setattr(last_word, "left_out_error", lambda proxy, network: network)
    results = [SimpleNamespace(network=of_chosen**2), SimpleNamespace(network=of_zero**2)]
    assert last_word.zero_wins(path(noise, change), exponent, results) == wins


def test_an_exact_network_is_not_replaced(monkeypatch):
    monkeypatch.setattr(last_word, "left_out_error", lambda proxy, network: network)
    results = [SimpleNamespace(network=0.0), SimpleNamespace(network=0.01)]
    assert not last_word.zero_wins(path(0.01, 0.5), -3.0, results)


@pytest.mark.parametrize("shape", [Shape(3, 10, 1), Shape(8, 50, 1), Shape(100, 200, 3)])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_fits_are_short(shape, activation):
    (steps,) = last_word._epochs(shape, 1000, activation).values()
    assert 1 <= steps <= max(last_word.EPOCHS.values())
    gradient = 1000 * shape.n_hidden * (2 * shape.n_inputs + 3 * shape.n_outputs + 20)
    assert steps == 1 or steps * gradient <= last_word.WORK
    assert np.isfinite(steps)
