"""Huang, Du & Xu: orthogonal against Gaussian initialisation, at the start and along training."""
