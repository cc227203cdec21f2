"""What every network can be turned into: ``Network`` inherits these methods."""

from __future__ import annotations

import os

from batchprop.files import network_file
from batchprop.parameters import Parameters, split


class Exportable(Parameters):
    """Parameters and the name of an activation, with a method for each way out of the library."""

    _activation: str

    # methods are sorted by name

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to an .npz file, for ``Network.load`` or ``numpy.load``.

        Parameters
        ----------
        path : str or path-like
            The file's name, used as it is (no suffix is added).  An existing file is replaced
            atomically and keeps its permissions; if it is a symbolic link, its target is replaced.

        Raises
        ------
        TypeError, ValueError
            ``path`` is not a file name.
        OSError
            The file cannot be written.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Network
        >>> Network.initialize(1, 2, 1).save("network.npz")
        >>> with np.load("network.npz") as file:
        ...     file["W_h"].shape
        (2, 1)
        """
        network_file.write(path, split(self.theta, self.shape), self._activation)
