"""``ExternalDataset``: the data of a run that are in files or on other machines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import scaling
from batchprop.scaling import Scaling
from batchprop.training.candidates import Candidates
from batchprop.training.checkpoint.fingerprint import Fingerprint
from batchprop.training.data_summary import DataSummary
from batchprop.training.external_samples import ExternalSamples
from batchprop.training.initial_network import InitialNetwork
from batchprop.training.options import TrainOptions
from batchprop.validation.error_text import message
from batchprop.vocabulary import COLUMNS, Words

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)  # arrays have no single truth value
class ExternalDataset:
    """Checked data of a run that are not in memory: a ``Dataset`` without arrays.

    Attributes
    ----------
    training : ExternalSamples
        The training data.
    summary : DataSummary
        What one pass over them has found out.
    validation, validation_summary : ExternalSamples and DataSummary, or None
        The same of the validation data.
    scaling : Scaling or None
        How engines standardise the data; None leaves them as they are.
    """

    training: ExternalSamples
    summary: DataSummary
    validation: ExternalSamples | None
    validation_summary: DataSummary | None
    scaling: Scaling | None

    @property
    def fingerprints(self) -> dict[str, Fingerprint]:
        """Name of each array -> its fingerprint, by which a later process recognises it."""
        summary = self.validation_summary
        return self.summary.fingerprints() | (
            {} if summary is None else summary.fingerprints("_val")
        )

    @property
    def arrays(self) -> dict[str, Array | None]:
        """No array is in memory."""
        return {}

    @property
    def n_inputs(self) -> int:
        """The number of inputs, e."""
        return self.summary.n_inputs

    @property
    def n_outputs(self) -> int:
        """The number of outputs, s."""
        return self.summary.n_outputs

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of X."""
        return self.summary.dtypes[0]

    @property
    def n_samples(self) -> int:
        """N, missing samples (those of weight 0) included."""
        return self.summary.n_samples

    @property
    def n_present(self) -> int:
        """Number of training samples of positive weight."""
        return self.summary.n_present

    @property
    def n_validation_samples(self) -> int:
        """Number of validation samples of positive weight."""
        return 0 if self.validation_summary is None else self.validation_summary.n_present

    @property
    def is_weighted(self) -> bool:
        """Whether the training samples have weights."""
        return self.summary.is_weighted

    @property
    def total_weight(self) -> float:
        """Σw; N without weights."""
        return self.summary.total_weight

    @property
    def weight_unit(self) -> float:
        """The weight of one sample, see ``training.weight_statistics.weight_unit``."""
        return self.summary.weight_unit

    @property
    def standardisation(self) -> Scaling:
        """What standardises the training data, whether the run does that or not."""
        return self.summary.scaling

    @property
    def target_std(self) -> Array:
        """Standard deviation of each target of the training data (s,); 0 for a constant one."""
        return self.summary.target_std if self.scaling is None else self.scaling.t_scale

    @property
    def validation_target_std(self) -> Array | None:
        """The same of the validation data, if there are any."""
        return None if self.validation_summary is None else self.validation_summary.target_std

    def extremes(self, table: str) -> tuple[Array, Array]:
        """Return the smallest and the largest value of each row of X, T, X_val or T_val."""
        summary = self.validation_summary if table.endswith("_val") else self.summary
        assert summary is not None, "there are validation data"
        statistics = summary.statistics
        rows = statistics.x if table.startswith("X") else statistics.t
        return rows.smallest, rows.largest

    def measure_targets(self) -> None:
        """Compute these standard deviations before training, where Ctrl-C cannot lose a result."""
        _ = self.target_std, self.validation_target_std

    @property
    def candidates(self) -> Candidates:
        """The training samples that a choice of penalty may draw from."""
        return self.summary.candidates

    @property
    def validation_candidates(self) -> Candidates | None:
        """The validation samples that may judge the choice, if there are any."""
        return None if self.validation_summary is None else self.validation_summary.candidates


class ExternalDatasetBuilder:
    """Makes the data set of a call whose samples are not in memory.

    Parameters
    ----------
    training : ExternalSamples
        The training data.
    validation : ExternalSamples or None
        The validation data.
    words : Words
        What the user calls the tables and arguments.
    """

    def __init__(
        self,
        training: ExternalSamples,
        validation: ExternalSamples | None = None,
        words: Words = COLUMNS,
    ) -> None:
        self.words = words
        self._training, self._validation = training, validation

    def optional_data(self, options: TrainOptions) -> set[str]:
        """Return the names of weights and validation data that the call has."""
        names = {"sample_weight"} if self._training.is_weighted else set()
        if self._validation is None:
            return names
        weighted = {"sample_weight_val"} if self._validation.is_weighted else set()
        return names | {"X_val", "T_val"} | weighted

    def check(self, options: TrainOptions) -> None:
        """Refuse what needs all samples in memory, before any work is done.

        Raises
        ------
        ValueError
            An option cannot be had.
        """
        name = self.words.name("X")
        if options.engine != "fused":
            expected = f"be 'fused' where {name} is not in memory"
            raise ValueError(message("engine", expected, repr(options.engine), "Leave it out."))
        if options.alpha == "cv":
            expected = f"be a number, a pair or 'evidence' where {name} is not in memory"
            remedy = "Use 'evidence', which chooses by a part of the samples, or a number."
            raise ValueError(message("alpha", expected, "'cv'", remedy))
        if options.uncertainty is not None:
            expected = f"be None where {name} is not in memory"
            remedy = "Leave it out, or train on a part of the samples in memory."
            raise ValueError(message("uncertainty", expected, repr(options.uncertainty), remedy))
        for argument in ("sample_weight", "sample_weight_val"):
            if getattr(options, argument) is not None:
                expected = f"be left out where {name} is not in memory"
                remedy = "Let the blocks hold the weights."
                raise ValueError(message(argument, expected, "an argument", remedy))

    def build(
        self, options: TrainOptions, network: InitialNetwork, scaled: bool, stacklevel: int
    ) -> ExternalDataset:
        """Read all samples once; return the data that a network is trained on.

        Parameters
        ----------
        options, network, scaled, stacklevel
            As for ``DatasetBuilder.build``.
        """
        words = self.words
        names = words.name("X"), words.name("T"), "sample_weight"
        summary = self._training.summarise(names, network.dtype)
        sizes = summary.n_inputs, summary.n_outputs
        if network.user_network is not None:
            self._check_sizes(names, sizes, network.user_network.shape[::2], "the network")
        summary_val = None
        if self._validation is not None:
            names_val = words.name("X_val"), words.name("T_val"), "sample_weight_val"
            dtype = network.dtype or summary.dtypes[0]
            summary_val = self._validation.summarise(names_val, dtype)
            sizes_val = summary_val.n_inputs, summary_val.n_outputs
            self._check_sizes(names_val, sizes_val, sizes, "the training data")
        dataset = ExternalDataset(self._training, summary, self._validation, summary_val, None)
        if not scaled:
            return dataset
        dataset = replace(dataset, scaling=summary.scaling)
        scaling.warn(
            summary.scaling,
            network.dtype or summary.dtypes[0],
            words,
            stacklevel=stacklevel + 1,
        )
        return dataset

    def _check_sizes(
        self,
        names: tuple[str, str, str],
        sizes: tuple[int, int],
        expected: tuple[int, ...],
        of_what: str,
    ) -> None:
        """Refuse tables of other numbers of inputs or outputs."""
        for name, size, wanted in zip(names, sizes, expected, strict=False):
            if size != wanted:
                lines = "columns" if self.words.rows_are_samples else "rows"
                expected_lines = f"have {wanted} {lines}, as many as {of_what}"
                remedy = "Choose the same columns, in the same order."
                raise ValueError(message(name, expected_lines, f"{size}", remedy))
