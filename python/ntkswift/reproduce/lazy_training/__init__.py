"""Random features, neural tangent and full training of two-layer networks of squares (arXiv:1906.08899)."""
