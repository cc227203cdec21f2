"""What a search for a penalty puts into the specification of a run."""

from __future__ import annotations

from batchprop.network import Network
from batchprop.scaling import unfold
from batchprop.solvers.auto import is_penalised
from batchprop.training.run_specification import RunSpecification

FALLBACK = 0.01  # α_h where nothing can be compared: a single sample, or no time


def neal_pair(alpha_h: float, spec: RunSpecification) -> tuple[float, float]:
    """Return (α_h, m α_h).

    A sum over m hidden units with independent weights has a variance that grows like m.  Penalising
    W_y m times as much keeps the size of the functions that a penalty favours, whatever m is
    (R. Neal, Bayesian Learning for Neural Networks, 1996).
    """
    return alpha_h, alpha_h * spec.initial_network.shape.n_hidden


def penalised(spec: RunSpecification, pair: tuple[float, float]) -> RunSpecification:
    """Return the specification with a penalty, also in the arguments that a checkpoint keeps."""
    return spec._replace(alpha=pair, arguments=spec.arguments | {"alpha": list(pair)})


def with_solver(spec: RunSpecification) -> RunSpecification:
    """Return the specification with the solver that suits the penalty, which has been chosen."""
    plan = spec.when_penalised
    if plan is None or isinstance(spec.alpha, str) or not is_penalised(spec.alpha):
        return spec
    resolved = plan.settings._asdict() | {"solver": plan.solver}
    arguments = {name: resolved.get(name, value) for name, value in spec.arguments.items()}
    return spec._replace(**plan._asdict(), arguments=arguments, when_penalised=None)


def started_from(spec: RunSpecification, network: Network) -> RunSpecification:
    """Return the specification of a run from a network in raw units, unless the user gave one."""
    if spec.user_network is not None:
        return spec
    theta, initial = network.theta, spec.initial_network
    if spec.dataset.scaling is not None:
        theta = unfold(theta, initial.shape, spec.dataset.scaling)
    start = Network.from_theta(theta.astype(initial.dtype), initial.shape, initial.activation)
    return spec._replace(initial_network=start)
