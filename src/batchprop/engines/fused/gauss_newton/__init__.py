"""The Gauss–Newton matrix JᵀJ by the fused kernels.

``row_product_layout`` says which products of rows are summed and where.  ``row_products`` sums them
over a block of samples, and ``gauss_newton_blocking`` chooses the block sizes.  ``assemble`` makes
JᵀJ of the sums, ``curvature`` computes Jᵀ y″, and ``gauss_newton_objective`` holds one data set.
"""
