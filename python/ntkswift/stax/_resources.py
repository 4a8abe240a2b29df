"""How a call into the core may use the machine, and what shows its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Resources:
    """Threads, bytes and a progress function of one call; None: as the context says, and a bar where somebody watches."""

    threads: int | None = None
    memory_limit: int | None = None
    progress: Callable[[float], None] | None = None

    def run(self, name: str, description: str, *arguments: Any, **keywords: Any) -> Any:
        """``_core.<name>(*arguments, **keywords)``; `description` stands beside the progress bar."""
        from .. import _core

        return self.run_method(_core, name, description, *arguments, **keywords)

    def run_method(self, owner: Any, name: str, description: str, *arguments: Any, **keywords: Any) -> Any:
        """``owner.<name>(*arguments, **keywords)`` for an object of the core."""
        from .._config import _call_arguments
        from .._progress import progress_bar

        function, settings = getattr(owner, name), _call_arguments(self.threads, self.memory_limit)
        if self.progress is not None:
            return function(*arguments, **keywords, **settings, progress=self.progress)
        with progress_bar(description) as progress:
            return function(*arguments, **keywords, **settings, progress=progress)
