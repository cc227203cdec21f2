"""``AlphaReport``: how a penalty was chosen, and what the choice says about new samples."""

from __future__ import annotations

from typing import NamedTuple


class AlphaReport(NamedTuple):
    """How ``alpha="evidence"`` or ``alpha="cv"`` chose the penalty.

    Tuples with an entry for each α are in the order of ``alphas``; those with an entry for each
    output are empty if there was nothing to compare.

    Attributes
    ----------
    alphas : tuple of float
        The α_h that were tried, ascending; α_y was m times as large.  If weights are relative, they
        are multiples of the mean weight
        (https://batchprop.readthedocs.io/en/latest/penalty.html).
    scores : tuple of float
        Mean squared error of the samples left out, in squared standard deviations of the targets:
        predicting the mean has a score of 1, or of s with s outputs.  NaN if there was no time, or
        no sample was left out.
    n_folds : int
        For "cv" 5, or 1 for a large table; 0 if validation data were used, or nothing could be
        compared.  For "evidence" 1 if samples were left out, else 0.
    method : str
        "evidence" or "cv".
    negative_log_evidence : tuple of float
        −log evidence of each α, up to a constant; for "cv" empty.
    chosen : float
        The chosen α_h.
    n_effective : float
        γ, the number of parameters that the data determine, for "evidence" at the chosen α, of a
        network of ``n_hidden`` units; NaN for "cv".
    noise_std : tuple of float
        Estimated standard deviation of the noise of each output, in units of T, for "evidence"
        only.  0 for a constant output; NaN if γ leaves nothing to estimate it from, and for outputs
        that take no part in the choice: of more than 50, as many do.
    error_std : tuple of float
        Estimated root mean squared error of each output on new samples, in units of T, from noise
        and γ; for "cv" the error of the samples left out.
    cut_short : bool
        Whether ``max_seconds``, Ctrl-C or a callback ended the choice before it was made.
    n_hidden, n_samples : int
        Size of the networks that were compared, and number of the samples that they were fitted to.
    n_parameters : int
        Number of parameters of these networks, of which ``n_effective`` is a part.
    """

    alphas: tuple[float, ...]
    scores: tuple[float, ...]
    n_folds: int
    method: str = "cv"
    negative_log_evidence: tuple[float, ...] = ()
    chosen: float = float("nan")
    n_effective: float = float("nan")
    noise_std: tuple[float, ...] = ()
    error_std: tuple[float, ...] = ()
    n_hidden: int = 0
    n_samples: int = 0
    n_parameters: int = 0
    cut_short: bool = False
