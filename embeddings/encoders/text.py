"""What every encoder does to a text before its model sees it."""

from __future__ import annotations

import re
import unicodedata

_NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(text: str, max_characters: int) -> str:
    """The text as a model can take it, at most `max_characters` long; empty stays empty.

    Control characters (NUL ends a text in C) and lone surrogates (which UTF-8 cannot carry) become spaces, runs
    of white space one space, and letters with accents one character (NFC), so that texts that look alike get the
    same vector. White space at both ends goes.
    """
    # The cut comes twice: before, so that a huge text costs little; after, for what NFC adds.
    start = text.lstrip()[: 4 * max_characters]
    composed = unicodedata.normalize("NFC", _NOT_TEXT.sub(" ", start))
    return " ".join(composed.split())[:max_characters].rstrip()
