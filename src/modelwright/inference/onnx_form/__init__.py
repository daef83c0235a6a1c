"""A compiled pipeline as one ONNX graph: an input per column of a request, an output per column of the reply."""
