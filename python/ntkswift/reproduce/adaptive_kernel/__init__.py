"""Dou & Liang: a trained network is kernel regression with the kernel that it has learnt."""
