"""Pictures of a training run and of a trained network, drawn with matplotlib.

- ``history``: the losses of a run, epoch by epoch.
- ``predicted_against_true`` and ``residuals``: how well a network predicts samples.
- ``response_curves``: how each input moves an output; ``importance``: by how much.
- ``network``: the network itself, with its units and weights.

Each function draws into the axes that it is passed, or into a new figure, and returns the axes.
None of them shows a window or changes matplotlib's settings.  matplotlib is imported when a
function is called: ``pip install batchprop[plot]``.  Every picture:
https://batchprop.readthedocs.io/en/latest/plots.html
"""

from __future__ import annotations

from batchprop.plot.fit_plots import predicted_against_true, residuals
from batchprop.plot.importance_bars import importance
from batchprop.plot.loss_curves import history
from batchprop.plot.network_drawing import network
from batchprop.plot.responses import response_curves

__all__ = [
    "history",
    "importance",
    "network",
    "predicted_against_true",
    "residuals",
    "response_curves",
]
