"""``alpha="evidence"``: the penalty chosen by the evidence of small networks and left-out samples.

``search`` is the search that ``penalty_choice`` drives.  ``proxy`` takes a part of the samples and
a small network of the same σ, ``path`` fits it with ever smaller penalties, ``evidence`` has the
formulas, ``criterion`` chooses, ``last_word`` asks whether no penalty at all predicts as well, and
``refinement`` whether networks of the size of the call need a larger one.
``noise`` estimates how noisy each output is.
"""
