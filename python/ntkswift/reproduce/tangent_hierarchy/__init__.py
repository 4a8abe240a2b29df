"""Huang & Yau: the kernel of a finite network moves, and a hierarchy of kernels says how."""
