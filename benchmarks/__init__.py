"""How fast batchprop is: the three engines (``make bench``) and other libraries beside them.

``bench_*.py`` are pytest-benchmark suites; they run once each, untimed, with the tests.  ``report``
turns what they measured into tables and a plot.  ``peers`` runs other libraries on the same work
(``make bench-peers``), ``memory`` shows what a training run needs beyond its data.
"""
