"""``uncertainty="laplace"``: what ``train`` adds to a result so that it can say how sure it is.

- ``laplace``: the posterior of trained networks, from JᵀJ.
- ``folds``: networks that have not seen some of the samples.
- ``left_out``: the residuals of these samples, and what the networks claim about them.
- ``predictives``: does all this at the end of a call, with its observers and limits.

``predictive/`` has what comes out.
"""
