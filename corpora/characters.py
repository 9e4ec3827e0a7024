"""Characters that cannot be kept: NUL and lone surrogates become U+FFFD, one for one.

PostgreSQL refuses NUL, some readers of C strings stop at it, and a lone surrogate has no UTF-8 form, so
neither SQLite nor JSON in UTF-8 can hold it. One replacement character for each keeps every other offset
where it was; from then on the replaced text is the source text that quotes must equal.
"""

from __future__ import annotations

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Return `text` with each NUL and each lone surrogate replaced by U+FFFD; its length stays the same."""
    return _UNSTORABLE.sub("\ufffd", text)


def is_storable(text: str) -> bool:
    """Say whether `text` holds neither NUL nor a lone surrogate."""
    return _UNSTORABLE.search(text) is None
