"""Accuracy on public data by published protocols: scripts that take a data folder and compare set by set."""
