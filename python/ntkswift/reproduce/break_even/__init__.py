"""The break-even point: how learning rate and batch size shape curvature and gradient noise along the path of SGD."""
