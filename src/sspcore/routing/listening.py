"""Listening: what a strategy is told of circuits and views, passed on by whoever stands before it.

Owns the six events by name. Refuses to know what becomes of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from sspcore.abc import Interests


class Listening(ABC):
    """Told as a strategy is; hands each event to `_tell`, by its name."""

    @abstractmethod
    def _tell(self, event: str, *args: Any) -> None:
        """Pass an event on."""

    def circuit_added(self, circuit: str) -> None:
        """Tell of a circuit."""
        self._tell("circuit_added", circuit)

    def circuit_removed(self, circuit: str) -> None:
        """Tell that a circuit is gone."""
        self._tell("circuit_removed", circuit)

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """Tell of a view."""
        self._tell("view_added", circuit, view, interests)

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> None:
        """Tell of a view's other interests: older ones route until it has settled."""
        self._tell("view_changed", circuit, view, old, new)

    def view_settled(self, circuit: str, view: str) -> None:
        """Tell that only a view's newest interests route."""
        self._tell("view_settled", circuit, view)

    def view_removed(self, circuit: str, view: str) -> None:
        """Tell that a view is gone."""
        self._tell("view_removed", circuit, view)
