"""Σw: the number of samples, or the sum of their weights by segments."""

from __future__ import annotations

import math

import numpy as np
import pytest

from batchprop import segments
from batchprop.engines.loss_scale import scales, sum_of_weights, total_weight


@pytest.mark.parametrize("n_samples", [1, 300, 301, 5000])
def test_the_total_weight(n_samples, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", 300)
    weight = np.random.default_rng(n_samples).uniform(size=n_samples)
    assert total_weight(n_samples, None) == n_samples
    assert total_weight(n_samples, weight) == pytest.approx(math.fsum(weight), rel=1e-15)
    assert scales(n_samples, weight).loss == 1.0 / total_weight(n_samples, weight)


def test_segments_are_added_in_the_tree(monkeypatch):
    weight = np.random.default_rng(0).uniform(size=70)
    assert total_weight(70, weight) == sum_of_weights(weight)
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", 10)
    a, b, c, d, e, f, g = (sum_of_weights(part) for part in weight.reshape(7, 10))
    assert total_weight(70, weight) == ((a + b) + (c + d)) + ((e + f) + g)
