"""Solvers: how θ moves, and when to stop.

``protocol`` says what a solver is.  ``first_order``, ``lbfgs`` and ``levenberg_marquardt`` have a
folder each, whose module ``*_solver`` implements the protocol; SciPy's solvers are in
``scipy_minimize``, their options in ``scipy_settings``.  ``registry`` finds a solver by its name,
``auto`` chooses one, ``settings`` has the solvers' names and default numbers.  ``compiled_run`` and
``interpreted_run`` are what the loops share, ``stopping`` has the stopping rules and the state of a
run, ``penalty_kernel`` the penalty, and ``state_checks`` the checks of a state from a file.

Imports engines, linalg, the compiler and the layers below these.
"""
