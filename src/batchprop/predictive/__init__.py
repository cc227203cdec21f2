"""How sure a prediction is: the posterior of a trained network, its calibration, and intervals.

- ``jacobian``: panels of standardised samples, and the columns of Jᵀ at them.
- ``posterior``: v = J K⁻¹ Jᵀ of single networks and of averages.
- ``calibration``: variances fitted to residuals of samples that were left out.
- ``conformal``: quantiles of these residuals.
- ``predictive``: the public class; ``predictive_file``: its file.

``training/uncertainty/`` makes what this folder uses.  Imports network, scaling, linalg and files.
"""
