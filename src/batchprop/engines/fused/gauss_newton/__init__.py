"""The Gauss–Newton matrix JᵀJ by the fused kernels.

``layout`` says which products of rows are summed and where, ``row_products`` sums them over blocks
of samples, ``blocking`` chooses the sizes, ``chunk_kernel`` is the compiled whole, ``assemble``
makes JᵀJ of the sums, ``curvature`` finds Jᵀ y″, and ``gauss_newton_objective`` holds one data set.
"""
