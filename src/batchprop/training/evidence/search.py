"""``EvidenceSearch``: the search of ``alpha="evidence"``, step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.network import Network
from batchprop.parameters import split
from batchprop.training.alpha_report import AlphaReport
from batchprop.training.chosen_penalty import FALLBACK, neal_pair, penalised
from batchprop.training.evidence import last_word, refinement
from batchprop.training.evidence.criterion import chosen_exponent
from batchprop.training.evidence.evidence import posterior_factor
from batchprop.training.evidence.noise import output_noise
from batchprop.training.evidence.path import EXPONENTS, Path, gauss_newton, pair
from batchprop.training.evidence.proxy import proxy_of
from batchprop.training.evidence.refinement import Refinement
from batchprop.training.monitor import CUT_SHORT
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification

UNITS = (20, 10)  # hidden units of the small networks, at most
MOST = 0.5  # share of the samples that has to take part in the choice for a climb
SMALLEST_SHARE = 0.1  # by which α is multiplied where a part of the samples made the choice


class EvidenceSearch:
    """The search for one penalty: a ``PenaltySearch``.

    First the paths of two small networks, side by side, one α after another; then, if they call for
    it, the last word; then, unless no penalty has won, the climb to a larger one.  The networks
    differ in size and start, and other samples judge each: what both agree on is less of an
    accident.

    Parameters
    ----------
    spec : RunSpecification
        The run whose penalty is chosen.
    """

    def __init__(self, spec: RunSpecification) -> None:
        self._spec, self._seed = spec, spec.arguments["seed"]
        network = spec.initial_network
        self._unit = spec.dataset.weight_unit
        self._paths: list[Path] = []
        for fold, max_units in enumerate(UNITS):
            proxy = proxy_of(spec.dataset, network, max_units, fold, self._seed)
            if proxy is not None:
                start = None if self._seed is None else self._seed + fold
                self._paths.append(Path(proxy, spec, start))
        self._cut_short = self._compared = self._zero = False
        self._refinement: Refinement | None = None

    @property
    def _share(self) -> float:
        """The share of the samples that take part."""
        proxy, dataset = self._paths[0].proxy, self._spec.dataset
        n_validating = 0 if dataset.validation else proxy.left_out.X.shape[1]
        return float((proxy.fitted.X.shape[1] + n_validating) / dataset.n_present)

    def next_runs(self) -> list[RunSpecification]:
        """Return the next fits of the paths, of the last word or of the refinement, or none."""
        if not self._paths or self._cut_short or self._zero:
            return []
        if not self._paths_ended:
            return [path.next_run() for path in self._paths]
        exponent = self._exponent()
        if exponent is None:
            return []
        best = self._best_path(exponent)
        if not self._compared and last_word.is_called_for(best, exponent):
            return last_word.comparison(self._spec, best.proxy, exponent, self._seed)
        self._compared = True
        if self._refinement is None:
            if self._share < MOST:
                return []
            if not refinement.is_called_for(self._spec, self._paths, exponent):
                return []
            proxies = [path.proxy for path in self._paths]
            self._refinement = Refinement(self._spec, proxies, exponent, self._seed)
        return [] if self._refinement.has_ended else self._refinement.next_runs()

    def take(self, results: Sequence[TrainResult]) -> None:
        """Judge the fits that ``next_runs`` has asked for."""
        if any(result.stop_reason in CUT_SHORT for result in results):
            self._cut_short = True
        elif not self._paths_ended:
            for path, result in zip(self._paths, results, strict=True):
                path.take(result)
        elif self._refinement is not None:
            self._refinement.take(results)
        elif (exponent := self._exponent()) is not None:
            best = self._best_path(exponent)
            self._compared, self._zero = True, last_word.zero_wins(best, exponent, results)

    @property
    def _paths_ended(self) -> bool:
        """Whether all α have been tried, or those to come are out of the question."""
        count = len(self._paths[0].points)
        return count == len(EXPONENTS) or (count > 0 and all(path.is_far for path in self._paths))

    @property
    def _is_open(self) -> bool:
        """Whether fits are missing that the choice needs."""
        return self._cut_short or bool(self.next_runs())

    def with_penalty(self, spec: RunSpecification) -> RunSpecification:
        """Return the specification with the chosen penalty, and a report."""
        exponent = self._exponent() if self._refinement is None else self._refinement.exponent
        if exponent is None:
            report = AlphaReport(
                (), (), 0, method="evidence", chosen=FALLBACK * self._unit, cut_short=self._is_open
            )
            return penalised(spec, neal_pair(report.chosen, spec))._replace(alpha_report=report)
        # what a part of the samples takes for noise, more of them let the network learn
        share = max(self._share, SMALLEST_SHARE)
        alpha_h = 0.0 if self._zero else float(10.0**exponent) * share * self._unit
        return penalised(spec, neal_pair(alpha_h, spec))._replace(
            alpha_report=self._report(exponent, alpha_h)
        )

    def from_best(self, spec: RunSpecification) -> RunSpecification:
        """Return the specification of a run from the path's network, filled up with idle units."""
        exponent = self._exponent()
        if exponent is None or self._paths[0].proxy.rotated:
            return spec
        proxy, network = self._paths[0].proxy, self._paths[0].nearest(exponent).network
        initial, m = spec.initial_network, network.shape.n_hidden
        theta = initial.theta.astype(np.float64)
        blocks = split(theta, initial.shape)
        blocks.W_h[:m] = 0.0
        blocks.W_h[:m, proxy.inputs] = network.W_h
        blocks.b_h[:m] = network.b_h
        blocks.W_y[:] = blocks.b_y[:] = 0.0
        blocks.W_y[proxy.outputs, :m] = network.W_y
        blocks.b_y[proxy.outputs] = network.b_y
        start = Network.from_theta(theta.astype(initial.dtype), initial.shape, initial.activation)
        return spec if spec.user_network is not None else spec._replace(initial_network=start)

    def _exponent(self) -> float | None:
        """Return log₁₀ of the chosen α; None if nothing is known."""
        # Ctrl-C may come when some paths have one point more than others
        fits = zip(*(path.points for path in self._paths), strict=False)
        values = [sum(point.value for point in points) / len(points) for points in fits]
        if not any(map(math.isfinite, values)):
            return None
        if not self._paths_ended and min(values) == values[-1]:
            return min(float(EXPONENTS[len(values) - 1]), math.log10(FALLBACK))
        return chosen_exponent(EXPONENTS[: len(values)], values)

    def _best_path(self, exponent: float) -> Path:
        """Return the path that has the least noise at an α; NaN is no noise that is known."""

        def noise(path: Path) -> float:
            variance = path.nearest(exponent).evidence.variance
            return math.inf if math.isnan(variance) else variance

        return min(self._paths, key=noise)

    def _report(self, exponent: float, alpha_h: float) -> AlphaReport:
        """Return the report of a path."""
        path = self._paths[0]
        proxy, point, points = path.proxy, path.nearest(exponent), path.points[::-1]
        s = proxy.shape.n_outputs
        network, total = point.network, path.total_weight
        alpha = pair(point.exponent, proxy.n_hidden)
        noise_std = self._unknown_noise()
        error_std = noise_std.copy()
        _, JTJ = gauss_newton(proxy, network)
        inverse = posterior_factor(JTJ, network.shape, alpha, total)
        if inverse is not None:
            noise = output_noise(
                proxy.fitted, network.theta, network.shape, network.activation, inverse, total
            )
            scaling = self._spec.dataset.scaling
            unit = 1.0 if scaling is None else scaling.t_scale[proxy.outputs]
            noise_std[proxy.outputs] = unit * np.sqrt(noise.variance)
            growth = np.sqrt(1.0 + noise.n_effective / path.n_targets * s)
            error_std[proxy.outputs] = noise_std[proxy.outputs] * growth
        return AlphaReport(
            alphas=tuple(pair(p.exponent, 1)[0] * self._unit for p in points),
            scores=tuple(s * p.error for p in points),
            n_folds=0 if self._spec.dataset.validation or not proxy.left_out.X.shape[1] else 1,
            method="evidence",
            negative_log_evidence=tuple(p.evidence.negative_log for p in points),
            chosen=alpha_h,
            n_effective=point.evidence.n_effective,
            noise_std=tuple(map(float, noise_std)),
            error_std=tuple(map(float, error_std)),
            n_hidden=proxy.n_hidden,
            n_samples=proxy.fitted.X.shape[1],
            n_parameters=proxy.shape.n_parameters,
            cut_short=self._is_open,
        )

    def _unknown_noise(self) -> npt.NDArray[Any]:
        """Return NaN for each output (s,), but 0 for those that are constant."""
        dataset, scaling = self._spec.dataset, self._spec.dataset.scaling
        noise = np.full(dataset.n_outputs, math.nan)
        if scaling is not None:
            noise[scaling.t_factor == 0.0] = 0.0
        return noise
