"""The other libraries: one requirement file and one virtual environment each."""
