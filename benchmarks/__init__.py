"""ntkswift beside its peers: every case runs all contestants alternately in one run. README.md says how to use it."""
