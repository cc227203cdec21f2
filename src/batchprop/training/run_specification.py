"""What a training run is: everything that defines it except its observers."""

from __future__ import annotations

from typing import Any, NamedTuple

from batchprop.network import Network
from batchprop.solvers.stopping import Rules
from batchprop.training.alpha_report import AlphaReport
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.dataset import Dataset
from batchprop.training.external_dataset import ExternalDataset
from batchprop.training.option_checks import SolverSettings


class SolverPlan(NamedTuple):
    """A solver, and what depends on it.

    Attributes
    ----------
    solver : str
        Its name.
    settings : SolverSettings
        Its settings.
    rules : Rules
        When to stop.
    """

    solver: str
    settings: SolverSettings
    rules: Rules


class RunSpecification(NamedTuple):
    """Everything that defines a run except its observers.

    Attributes
    ----------
    dataset : Dataset or ExternalDataset
        Training and validation data, with their scaling.
    initial_network : Network
        Where training starts: a network of standardised data, if those are standardised.
    user_network : Network or None
        The same in the user's units, if the user passed one.
    engine, solver : str
        Their names.
    settings : SolverSettings
        Those of the solver.
    rules : Rules
        When to stop.
    alpha : tuple of two floats, or str
        The penalty (α_h, α_y), or the method that has to choose it before the run.
    n_threads : int or None
        At most so many threads.
    arguments : dict
        ``Checkpoint.arguments`` of the run's checkpoints.
    resumed_from : Checkpoint or None
        Of the run that this one continues.
    alpha_report : AlphaReport or None
        How the penalty was chosen.
    when_penalised : SolverPlan or None
        What replaces solver, settings and rules if the method chooses a notable penalty.
    uncertainty : {"laplace"} or None
        How the result says how sure it is.
    """

    dataset: Dataset | ExternalDataset
    initial_network: Network
    user_network: Network | None
    engine: str
    solver: str
    settings: SolverSettings
    rules: Rules
    alpha: tuple[float, float] | str
    n_threads: int | None
    arguments: dict[str, Any]
    resumed_from: Checkpoint | None = None
    alpha_report: AlphaReport | None = None
    when_penalised: SolverPlan | None = None
    uncertainty: str | None = None

    @property
    def arrays(self) -> Dataset:
        """The data of a run that has them in memory."""
        assert isinstance(self.dataset, Dataset), "ExternalDatasetBuilder.check refuses the rest"
        return self.dataset
