"""What a browser is called in the list of one's sessions."""

from __future__ import annotations

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
"""In this order, since each of them also names most of those that follow."""

_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)

MAX_READ_CHARS = 500


def device(user_agent: str) -> str:
    """What of browser and system can be told, as in Firefox, Windows; empty for a program. Versions are left out: they identify."""
    text = user_agent[:MAX_READ_CHARS]
    found = (next((name for sign, name in signs if sign in text), "") for signs in (_BROWSERS, _SYSTEMS))
    return ", ".join(name for name in found if name)
