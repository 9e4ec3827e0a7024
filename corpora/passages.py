"""A profile cut into passages: whole sentences packed to some 60 to 120 words, with offsets into the source.

The text of a passage is the source text between its offsets, character for character.
"""

from __future__ import annotations

import re

from corpora.languages import detect
from corpora.model import Passage, PassageField, Profile
from corpora.sentences import sentence_spans

MIN_WORDS = 60
MAX_WORDS = 120
"""About what the encoders read whole: 120 words are some 200 tokens, 256 are the least any of them takes."""

LONG_SENTENCE_WORDS = 80
"""A longer sentence is cut at a clause, so that a quote stays something that a person reads."""

_CHARS_PER_WORD = 10
# Where words are longer than this (formulas, Chinese, junk), characters are counted instead.

_WORD = re.compile(r"\S+")
_CLAUSE = re.compile(r"[;:–—•)\]](?=\s)|,(?=\s)|(?<=\s)-(?=\s)")

Span = tuple[int, int]


def split_profile(profile: Profile) -> list[Passage]:
    """Return the passages of a profile: its description's, then each document's, in order of text.

    A document without text is found by its title. A text without a letter or digit gives no passage.
    """
    passages = _split(profile.id, None, "description", profile.description, profile.language)
    for document in profile.documents:
        if _has_words(document.text):
            passages += _split(profile.id, document.id, "text", document.text, document.language)
        else:
            passages += _split(profile.id, document.id, "title", document.title, document.language)
    return passages


def _split(
    profile_id: str, document_id: str | None, field: PassageField, source: str, language: str
) -> list[Passage]:
    if not _has_words(source):
        return []
    passages = []
    for sentences in pack_sentences(source, language):
        start, end = sentences[0][0], sentences[-1][1]
        text = source[start:end]
        if not _has_words(text):
            continue
        passages.append(
            Passage(
                id=f"{document_id or profile_id}#{field}:{start}-{end}",
                profile_id=profile_id,
                document_id=document_id,
                field=field,
                start=start,
                end=end,
                text=text,
                language=detect(text, language),
                sentences=tuple(sentences),
            )
        )
    return passages


def pack_sentences(source: str, language: str) -> list[list[Span]]:
    """Return groups of sentence spans, each group a passage of at most `MAX_WORDS` words.

    Greedy from the front; a tail shorter than `MIN_WORDS` is evened out with the group before it.
    """
    sentences = [
        piece for sentence in sentence_spans(source, language) for piece in _cut_long(source, sentence)
    ]
    groups: list[list[Span]] = []
    sizes: list[int] = []
    for sentence in sentences:
        size = _size(source, sentence)
        fits = bool(groups) and sizes[-1] + size <= MAX_WORDS
        # A new paragraph is a better place to stop than a full passage.
        if fits and not (sizes[-1] >= MIN_WORDS and _paragraph_between(source, groups[-1][-1], sentence)):
            groups[-1].append(sentence)
            sizes[-1] += size
        else:
            groups.append([sentence])
            sizes.append(size)
    if len(groups) > 1 and sizes[-1] < MIN_WORDS:
        groups[-2:] = _evened(source, groups[-2] + groups[-1])
    return groups


def _evened(source: str, sentences: list[Span]) -> list[list[Span]]:
    """Split `sentences` in two where the halves differ least, or leave them one when they fit."""
    sizes = [_size(source, sentence) for sentence in sentences]
    total = sum(sizes)
    if total <= MAX_WORDS:
        return [sentences]
    best, least, left = 1, total, 0
    for position in range(1, len(sentences)):
        left += sizes[position - 1]
        larger = max(left, total - left)
        if larger < least:
            best, least = position, larger
    return [sentences[:best], sentences[best:]]


def _cut_long(source: str, sentence: Span) -> list[Span]:
    """Cut a sentence of too many words: at the last clause mark in reach, else a space, else anywhere."""
    pieces = []
    start, end = sentence
    while _size(source, (start, end)) > LONG_SENTENCE_WORDS:
        limit = _reach(source, start, end)
        cut = _last_clause(source, start, limit) or _last_space(source, start, limit) or limit
        piece_end = start + len(source[start:cut].rstrip())
        pieces.append((start, piece_end))
        start = cut + len(source[cut:end]) - len(source[cut:end].lstrip())
    pieces.append((start, end))
    return pieces


def _reach(source: str, start: int, end: int) -> int:
    """Return where a piece that starts at `start` reaches `LONG_SENTENCE_WORDS`."""
    limit = min(end, start + LONG_SENTENCE_WORDS * _CHARS_PER_WORD)
    for count, word in enumerate(_WORD.finditer(source, start, limit), start=1):
        if count == LONG_SENTENCE_WORDS:
            return word.end()
    return limit


def _last_clause(source: str, start: int, limit: int) -> int | None:
    # A cut before the middle would leave crumbs.
    middle = (start + limit) // 2
    marks = [match.end() for match in _CLAUSE.finditer(source, middle, limit)]
    return marks[-1] if marks else None


def _last_space(source: str, start: int, limit: int) -> int | None:
    if limit < len(source) and source[limit].isspace():
        return limit
    words = [match.start() for match in _WORD.finditer(source, (start + limit) // 2, limit)]
    return words[-1] if len(words) > 1 else None


def _size(source: str, span: Span) -> int:
    """Return the words of a span, or a tenth of its characters where that is more."""
    start, end = span
    if end - start > MAX_WORDS * _CHARS_PER_WORD:
        return -(-(end - start) // _CHARS_PER_WORD)  # junk of a megabyte is not counted word by word
    return max(sum(1 for _ in _WORD.finditer(source, start, end)), -(-(end - start) // _CHARS_PER_WORD))


def _paragraph_between(source: str, before: Span, after: Span) -> bool:
    return "\n\n" in source[before[1] : after[0]].replace("\r\n", "\n")


def _has_words(text: str) -> bool:
    return any(char.isalnum() for char in text)
