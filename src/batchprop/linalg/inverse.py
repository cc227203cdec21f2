"""The inverse of a Cholesky factor, on one thread, so that results have the same bits each time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import kernel
from batchprop.compiler.kernel_call import Call
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.linalg.cholesky import WORK, factor, matrix_memory
from batchprop.threads.cancellation import leader_token

Array = npt.NDArray[np.float64]


@kernel
def _factor_and_invert(A, n, inverse, work, token):
    """Overwrite the lower triangle of A (n, n) by L, and that of ``inverse`` by L⁻¹.

    Returns what ``factor`` returns; if that is 0, ``inverse`` is left as it is.
    """
    least = factor(A, n, work, token)
    if least == 0.0:
        return least
    for i in range(n):
        for j in range(i + 1):
            inverse[i, j] = 0.0
        for k in range(i):
            value = A[i, k]
            for j in range(k + 1):
                inverse[i, j] -= value * inverse[k, j]
        for j in range(i):
            inverse[i, j] /= A[i, i]
        inverse[i, i] = 1.0 / A[i, i]
    return least


def inverse_call() -> Call:
    """Return a call of the kernel of ``inverse_factor``."""
    return (
        _factor_and_invert,
        matrix_memory(1),
        1,
        np.zeros((1, 1)),
        np.zeros(WORK),
        leader_token(None),
    )


def inverse_factor(matrix: Array) -> Array | None:
    """Return L⁻¹ of a positive definite matrix A = L Lᵀ; None if A is not.

    Parameters
    ----------
    matrix : ndarray, shape (n, n), float64
        A; only the lower triangle is read.

    Returns
    -------
    ndarray, shape (n, n), or None
        Lower triangular.  A⁻¹ = L⁻ᵀ L⁻¹, (A⁻¹)_jj is the sum of squares of column j, and
        ln det A = −2 Σ_i ln (L⁻¹)_ii.
    """
    n = matrix.shape[0]
    A, inverse = matrix_memory(n), np.zeros((n, n))
    A[:n, :n] = matrix
    token = KernelStruct(leader_token(None))
    least = _factor_and_invert(A, n, inverse, np.zeros(WORK), token)
    return inverse if least > 0.0 else None
