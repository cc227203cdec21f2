"""The backward pass of a block of samples: the sums of dW_y, db_h and dW_h.

It is a kernel of its own, as the forward pass is: two processes compile them side by side.
"""

from __future__ import annotations

from batchprop.compiler.jit import kernel_by_address
from batchprop.engines.fused.hidden_layer import backward_hidden_layer
from batchprop.engines.fused.packing import transpose_panels
from batchprop.linalg.matmul import add_outer_transposed
from batchprop.linalg.views import Matrix, Panels, Transpose
from batchprop.simd.load_store import lanes_of
from batchprop.simd.vectors import NATIVE, WIDE


@kernel_by_address
def backward_kernel(problem, theta, count, scratch, G):
    """Add the sums of a block's gradient but for db_y to G; δ_h overwrites the hidden layer.

    dW_h of large networks is added to ``scratch.strip_sums`` instead.
    """
    backward_hidden_layer(problem, theta, scratch, count, G)
    if problem.sums_in_strips:
        # dW_h += δ_h Xᵀ
        m, x_rows, width = problem.m, problem.x_rows, lanes_of(scratch.H, WIDE)
        X = Panels(scratch.X, 0, x_rows, count, width, x_rows * width)
        H = Panels(scratch.H, 0, m, count, width, problem.h_rows * width)
        XT = Transpose(scratch.XT, x_rows // lanes_of(scratch.H, NATIVE), problem.block_samples)
        transpose_panels(X, XT)
        sums = Matrix(scratch.strip_sums, 0, m, x_rows, x_rows, 1)
        add_outer_transposed(H, XT, sums, problem.cache_rows)
