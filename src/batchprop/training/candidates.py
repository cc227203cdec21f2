"""The samples that a choice of penalty may draw from: all of them, or a pseudo-random part.

Up to 2¹⁷ samples, one segment, all samples of positive weight are candidates.  Of more, sample i is
one if its key, ``mixed(i)``, is less than 2⁶⁴⁻ᵏ, where k is the smallest number that leaves 2¹⁴
samples on average.  Whether a sample can be a candidate so depends on its index and on the number
of samples alone, and k only grows with that number: samples that come one after another are
dropped as their number grows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import segments
from batchprop.engines.samples import Samples
from batchprop.training.row_keys import mixed

Array = npt.NDArray[Any]

MAX_CANDIDATES = 1 << 14  # on average, of more samples than a segment has


class Candidates(NamedTuple):
    """Samples in memory, and which of them may be drawn.

    Attributes
    ----------
    samples : Samples
        The data of a run, or the thinned samples of data that are not in memory.
    indices : ndarray of int
        Columns of ``samples``, in increasing order; their weights are positive.
    """

    samples: Samples
    indices: Array


def candidates_of(samples: Samples) -> Candidates:
    """Return the candidates of samples in memory."""
    n_samples, weight = samples.X.shape[1], samples.sample_weight
    n_present = n_samples if weight is None else int(np.count_nonzero(weight))
    halvings = 0 if n_samples <= segments.SEGMENT_SAMPLES else _halvings(n_present)
    parts = []
    for _, start, stop in segments.ranges(0, n_samples):
        indices = _present(start, stop, None if weight is None else weight[start:stop])
        parts.append(indices[_are_kept(indices, halvings)] if halvings else indices)
    return Candidates(samples, np.concatenate(parts))


class ThinnedSamples:
    """Collects the candidates of samples that come in pieces, and thins them as N grows.

    Parameters
    ----------
    may_be_all : bool
        Whether these can be all samples, so that up to a segment of them has to be kept.
    """

    def __init__(self, may_be_all: bool) -> None:
        self._may_be_all = may_be_all
        self._parts: list[tuple[Array, Samples]] = []
        self._n_samples = self._n_present = self._halvings = 0

    def add(self, samples: Samples, first_sample: int) -> None:
        """Add a piece; ``first_sample`` is the index of its first sample."""
        n_samples, weight = samples.X.shape[1], samples.sample_weight
        indices = _present(first_sample, first_sample + n_samples, weight)
        self._n_samples += n_samples
        self._n_present += indices.size
        self._append(indices, samples, first_sample)
        self._thin()

    def merged_with(self, later: ThinnedSamples) -> ThinnedSamples:
        """Return the candidates of these samples and of those that follow; changes ``self``."""
        self._n_samples += later._n_samples
        self._n_present += later._n_present
        self._parts += later._parts
        self._halvings = -1  # the parts are thinned differently
        self._thin()
        return self

    def samples(self) -> Samples:
        """Return the candidates, in the order of the samples."""
        parts = [part for _, part in self._parts]
        weighted = parts[0].sample_weight is not None
        return Samples(
            np.concatenate([part.X for part in parts], axis=1),
            np.concatenate([part.T for part in parts], axis=1),
            np.concatenate([part.sample_weight for part in parts]) if weighted else None,
        )

    def _append(self, indices: Array, samples: Samples, first_sample: int) -> None:
        """Keep copies of those of some samples that are candidates so far."""
        kept = indices[_are_kept(indices, self._halvings)]
        if kept.size or not self._parts:
            X, T, weight, _ = samples
            columns = kept - first_sample
            w = None if weight is None else weight[columns]
            self._parts.append((kept, Samples(X[:, columns], T[:, columns], w)))

    def _thin(self) -> None:
        """Drop the samples that are no candidates any more."""
        is_all = self._may_be_all and self._n_samples <= segments.SEGMENT_SAMPLES
        halvings = 0 if is_all else _halvings(self._n_present)
        if halvings == self._halvings:
            return
        self._halvings = halvings
        indices, samples = np.concatenate([kept for kept, _ in self._parts]), self.samples()
        are_kept = _are_kept(indices, halvings)
        weight = samples.sample_weight
        w = None if weight is None else weight[are_kept]
        part = Samples(samples.X[:, are_kept], samples.T[:, are_kept], w)
        self._parts = [(indices[are_kept], part)]


def _present(start: int, stop: int, weight: Array | None) -> Array:
    """Return the indices of the samples of positive weight from ``start`` to ``stop``."""
    return np.arange(start, stop) if weight is None else start + np.flatnonzero(weight)


def _halvings(n_present: int) -> int:
    """Return k: how often samples are halved until few enough are left."""
    halvings = 0
    while n_present > MAX_CANDIDATES << halvings:
        halvings += 1
    return halvings


def _are_kept(indices: Array, halvings: int) -> Array:
    """Return which samples are left after k halvings."""
    if halvings == 0:
        return np.ones(indices.size, np.bool)
    return np.asarray(mixed(indices.astype(np.uint64)) >> np.uint64(64 - halvings) == 0)
