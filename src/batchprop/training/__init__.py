"""Training: from a call of ``train`` or ``train_many`` to the networks that it returns.

``train`` and ``train_many`` are the public calls.  ``options`` holds their keyword arguments,
``option_checks``, ``initial_network`` and ``dataset`` check them, and ``setup`` puts a
``run_specification`` together.  ``run`` carries a run out, ``loop`` advances its solver, and
``monitor`` has its observers.  ``parallel`` carries out many runs.  ``penalty_choice`` chooses a
penalty, by ``evidence`` or by ``cross_validation``.  ``result`` has the outcome; ``progress_line``,
``convergence`` and ``divergence`` tell the user about it.  ``checkpoint`` saves and resumes runs.

Imports everything below it: solvers, engines, scaling, validation, files.  Only the estimator
imports it.
"""
