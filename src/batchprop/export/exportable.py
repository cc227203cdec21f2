"""What every network can be turned into: ``Network`` inherits these methods."""

from __future__ import annotations

import os

import numpy.typing as npt

from batchprop import validation
from batchprop.export.c_header import c_header
from batchprop.export.c_identifier import c_identifier
from batchprop.files import atomic_file, network_file
from batchprop.parameters import Blocks, Parameters, split


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

    def to_c(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        jacobian: bool = True,
    ) -> None:
        """Write the network as one C header, for programs in C99 or C++11.

        Parameters
        ----------
        path : str or path-like
            The header's name, used as it is; an existing file is replaced atomically.
        name : str or None
            What the names in the header begin with: an identifier of C and C++.  None takes the
            file's name without its suffix.
        dtype : {"float32", "float64"} or None
            Arithmetic of the C code: float or double.  None is the network's dtype.
        jacobian : bool
            Whether the header has ``NAME_jacobian``.

        Raises
        ------
        TypeError, ValueError
            ``path`` is not a file name, ``name`` is not allowed in C or C++, ``dtype`` is neither,
            or a parameter is not finite or is beyond the range of float32.
        OSError
            The file cannot be written.

        Notes
        -----
        The header has ``NAME_predict(const double x[e], double y[s])`` and
        ``NAME_jacobian(const double x[e], double y[s], double dydx[s * e])``, in which
        ``dydx[e * o + j]`` is ∂y_o/∂x_j.  Both are ``static inline``, need <math.h> and nothing
        else, allocate nothing and keep no state.  Parameters are written with 17 digits (float: 9),
        which C reads as exactly the same numbers.

        Examples
        --------
        >>> from batchprop import Network
        >>> Network.initialize(2, 3, 1).to_c("net.h")
        >>> with open("net.h") as file:
        ...     functions = [line.strip() for line in file if line.startswith("static inline void")]
        >>> for function in functions:
        ...     print(function)
        static inline void net_predict(const double x[2], double y[1])
        static inline void net_jacobian(const double x[2], double y[1], double dydx[2])
        """
        file = validation.file_path("path", path)
        identifier = c_identifier(name, file)
        blocks = self._rounded(dtype)
        has_jacobian = validation.flag("jacobian", jacobian)
        text = c_header(blocks, self._activation, identifier, file, jacobian=has_jacobian)
        atomic_file.write_bytes(path, text.encode("ascii"))

    def _rounded(self, dtype: npt.DTypeLike | None) -> Blocks:
        """Return the blocks in a dtype, checked for what files of other programs do not take."""
        dtype = self.dtype if dtype is None else validation.float_dtype(dtype)
        blocks = split(self.theta, self.shape)
        for name, block in blocks._asdict().items():
            validation.finite(name, block)
            validation.in_range(name, block, dtype, "Pass dtype='float64'.")
        return split(self.theta.astype(dtype), self.shape)
