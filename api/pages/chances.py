"""What a chance is called in words."""

from __future__ import annotations

_BANDS = ((0.7, "strong"), (0.4, "good"), (0.15, "possible"), (0.0, "weak"))
"""Lower edges: at 0.7 a reader who follows the first three suggestions is disappointed by about one."""


def band(chance: float) -> str:
    """The word for a chance of 0 to 1: "strong", "good", "possible" or "weak" (a key of the locale)."""
    return next(name for edge, name in _BANDS if chance >= edge)
