"""Which language a text is in, among those that a European collection holds.

py3langid (naive Bayes over byte n-grams) on whole texts is sure of itself on ten words and wrong on two, so
a short text keeps the language that is expected of it unless the evidence is clear.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

LANGUAGES = ("nl", "en", "de", "fr", "es", "it", "pt", "da", "sv", "no", "fi", "pl", "cs", "tr")
"""ISO 639-1 codes that can be told; the fewer there are, the surer short texts come out."""

_HEAD_CHARS = 600
"""A language shows long before this; reading on only costs time on junk."""

_MIN_LETTERS = 12
"""Shorter than this, n-grams say nothing ("laser", "CO2 sensor" belong to all languages)."""

_SURE = 0.75
_SURE_SHORT = 0.93
"""Chance asked of another language than the expected one, for texts of 80 letters and more, and below."""

_SHORT_LETTERS = 80

# fmt: off
# Words that one of the two languages has and the other (and the common third ones) hardly: they decide
# short texts, where n-grams of technical words, which are alike in both, say little.
_TELLING = {
    "nl": frozenset({
        "aan", "als", "bij", "deze", "dit", "een", "eigen", "geen", "graag", "heb", "hebben", "heeft", "het", "hoe",
        "ik", "kan", "kunnen", "maar", "met", "mijn", "moet", "moeten", "naar", "niet", "nog", "om", "onder", "ons",
        "onze", "ook", "op", "over", "te", "tussen", "uit", "van", "veel", "voor", "waar", "wanneer", "wat", "wel",
        "welke", "werkt", "wie", "wij", "willen", "wordt", "worden", "zijn", "zoek", "zoeken", "zonder", "zoals",
    }),
    "en": frozenset({
        "and", "any", "are", "be", "between", "by", "can", "do", "does", "every", "for", "from", "has",
        "have", "how", "into", "it", "its", "looking", "must", "my", "need", "not", "or", "our",
        "should", "than", "that", "the", "their", "they", "this", "to", "us", "want", "what", "when", "where",
        "which", "who", "will", "with", "without", "would",
    }),
}
# fmt: on
_NOT_LETTERS = re.compile(r"(?:https?://\S+|\S+@\S+|[\W\d_])+")


@cache
def _identifier() -> Any:
    # Imported on first use: it loads its model from a compressed file, which takes some 0.1 s.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


def detect(text: str, fallback: str) -> str:
    """Return the ISO 639-1 code of `text`'s language; `fallback` where the text does not clearly differ.

    `fallback` is the expected language: that of the document for a passage, of the page for a need.
    """
    words = _NOT_LETTERS.sub(" ", text[:_HEAD_CHARS]).strip()
    letters = len(words) - words.count(" ")
    if letters < _MIN_LETTERS:
        return _told_by_words(words) or fallback
    language, chance = _identifier().classify(words)
    if language == fallback:
        return fallback
    if letters >= _SHORT_LETTERS:
        return str(language) if chance >= _SURE else fallback
    if chance >= _SURE_SHORT:
        return str(language)
    return _told_by_words(words) or fallback


def _told_by_words(words: str) -> str | None:
    found = dict.fromkeys(_TELLING, 0)
    for word in words.casefold().split():
        for language, telling in _TELLING.items():
            found[language] += word in telling
    return next((language for language, count in found.items() if count == sum(found.values()) > 0), None)
