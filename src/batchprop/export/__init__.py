"""Ways out of the library: a network as a file or a text that other programs use.

- ``exportable``: the methods of ``Network``, one for each way; each calls a function of this part.
- ``c_header``: a C header; ``c_activations``: σ and σ′ in C; ``c_identifier``: names in C.
- ``formula``: text for Excel, MATLAB, Python and R; ``formula_names``: names in these languages.
- ``onnx_graph``: the network as nodes of an ONNX graph; ``onnx_file``: as an ONNX file;
  ``rounding_error``: how far a file is from the network.
- ``safetensors_file``: as a safetensors file; ``torch_module``: as a module of PyTorch.
- ``optional_package``: packages that only an export needs.

Imports files, validation, activations and parameters.
"""
