"""Solvers: how θ moves, and when to stop.

``protocol`` says what a solver is.  ``first_order``, ``lbfgs`` and ``levenberg_marquardt`` have a
folder each, whose module ``*_solver`` implements the protocol; SciPy's solvers are in
``scipy_minimize``, their options in ``scipy_settings``.  ``registry`` finds a solver by its name,
``auto`` chooses one, ``settings`` has the solvers' names and default limits.  The loops share
``compiled_run`` and ``interpreted_run``, the state of a run in ``run_state``, the stopping rules in
``stopping``, the penalty in ``penalty_kernel`` and ``vector_ops``; ``state_checks`` has the checks
of a state from a file.

Imports engines, linalg, the compiler and the layers below these.
"""
