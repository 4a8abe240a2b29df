"""Belfer et al.: spectral analysis of the NTK of deep residual networks, against fully connected ones and Laplace."""
