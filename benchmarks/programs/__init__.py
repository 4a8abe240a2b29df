"""What the worker processes run: one module per library, each with TASKS (name -> maker of a callable) and versions()."""
