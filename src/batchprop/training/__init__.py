"""Training: from a call of ``train`` or ``train_many`` to the networks that it returns.

``train`` and ``train_many`` are the public calls.  ``options`` holds their keyword arguments, and
``call`` leads from there to the result.  ``option_checks``, ``initial_network`` and ``dataset``
check the arguments, and ``setup`` puts a ``run_specification`` together.  ``penalty_choice``
chooses a penalty, by ``evidence`` or by ``cross_validation``.  ``compilation`` lets a second
process help where kernels are missing.  ``parallel`` carries out runs:
``run`` one run, ``loop`` advances its solver, and ``monitor`` has its observers.  ``combination``
makes one result of several starts, and ``uncertainty`` says how sure it is.  ``result`` has the
outcome; ``summary``, ``progress_line``, ``convergence``, ``divergence``, ``overfitting`` and
``limits`` tell the user about it.  ``checkpoint`` saves and resumes runs.

Imports everything below it: solvers, engines, scaling, validation, files.  Only the estimator
imports it.
"""
