"""Ways out of the library: a network as a file or a text that other programs use.

- ``exportable``: the methods of ``Network``, one for each way; each calls a function of this part.
- ``c_header``: a C header; ``c_activations``: σ and σ′ in C; ``c_identifier``: names in C.

Imports files, validation and parameters.
"""
