"""A bundle of ONNX networks, and the predictor that makes rows of the log with it."""
