"""Training: from a call of ``train`` or ``train_many`` to the networks that it returns.

``train`` and ``train_many`` are the calls, ``options`` and ``setup`` check their arguments,
``dataset`` holds the data, ``run_specification`` says what a run is.  ``run`` makes one, ``loop``
advances it and looks at clock and callback, ``parallel`` makes many side by side, and
``alpha_search`` finds a penalty.  ``result``, ``progress_line``, ``convergence`` and ``divergence``
say what came of it; ``checkpoint`` lets it go on later.

Imports everything below it: solvers, engines, scaling, validation, files.  Nothing but the
estimator imports it.
"""
