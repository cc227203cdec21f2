"""Ways out of the library: a network as a file or a text that other programs use.

- ``exportable``: the methods of ``Network``, one for each way; each calls a function of this part.

Imports files, validation and parameters.
"""
