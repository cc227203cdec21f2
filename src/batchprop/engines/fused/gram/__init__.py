"""The Gauss–Newton matrix JᵀJ by the fused kernels.

``layout`` says which products of rows are summed and where, ``products`` sums them over blocks of
samples, ``process`` is the compiled whole, ``assemble`` makes JᵀJ of the sums, and ``objective``
holds one data set.
"""

from __future__ import annotations
