"""Where sentences begin and end: spaCy's tokenizer and sentencizer, mended for technical prose.

Blank `nl` and `en` pipelines (no model, no download) propose the boundaries; the rules below add those
that a glued footnote hides, and take away those after an abbreviation, an initial or inside a reference.
Every step costs time linear in the text, junk included.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

_CHUNK_CHARS = 20_000
"""spaCy gets a text in pieces, cut at a space, so that its memory stays small."""

_LONG_WORD_CHARS = 60
# spaCy peels punctuation off a word in quadratic time: a longer "word" (a URL, a table rule, junk) is
# masked by letters for it, and the boundaries are looked for in the text itself.
_LONG_WORD = re.compile(rf"\S{{{_LONG_WORD_CHARS},}}")

# fmt: off
# Never the end of a sentence: something belongs after it.
_NEVER_FINAL = frozenset({
    "e.g", "i.e", "cf", "viz", "vs", "approx", "resp", "incl", "excl", "esp", "fig", "figs", "eq", "eqs", "eqn",
    "refs", "sect", "vol", "nos", "nr", "nrs", "pp", "eds", "dr", "drs", "mr", "mrs", "prof", "ir", "mevr", "dhr",
    "proc", "phys", "chem", "appl", "lett", "biol", "mech", "syst", "technol",
    "bijv", "d.w.z", "o.a", "m.b.v", "t.b.v", "t.o.v", "i.p.v", "m.b.t", "i.v.m", "n.a.v", "t.g.v", "d.m.v",
    "t.a.v", "i.t.t", "a.g.v", "m.i.v", "afb", "blz", "hfst", "vgl", "zgn", "zg", "evt", "m.n", "z.g", "v.a",
    "i.h.b", "i.s.m", "o.l.v", "z.b", "d.h", "u.a", "bzw", "ggf", "inkl", "p.ex",
})
# The same, but also words or endings of names: a capital after them does begin a sentence.
_ALSO_WORDS = frozenset({
    "no", "ca", "c.q", "min", "max", "ed", "art", "nl", "gem", "par", "temp", "ref", "int", "eng", "res", "opt",
    "nat", "inst", "ms", "st", "ing", "tel", "sec", "tab", "conf", "rev", "soc", "sci", "adv", "trans", "mater",
    "ong", "p", "bv", "b.v", "ph", "th", "univ", "dept", "jl", "ch", "r.p.m",
})
# Often the last word of a sentence, then followed by a capital.
_SOMETIMES_FINAL = frozenset({
    "al", "etc", "enz", "e.d", "e.a", "c.s", "u.k", "u.s", "u.s.a", "e.u", "a.m", "p.m", "ltd", "inc", "co",
    "corp", "jr", "sr", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "okt", "oct", "nov", "dec",
    "n.v", "ph.d", "m.sc", "b.sc",
})
# fmt: on

_CLOSERS = "\"'”’»)\\]"
_MARK = re.compile(rf"[.!?…][{_CLOSERS}]{{0,4}}(?:\s*\[\d[\d.,;\s–-]{{0,20}}\]){{0,4}}\s+")
_GLUED = re.compile(rf"(?<=[^\W\d_][^\W\d_])[.!?][{_CLOSERS}]{{0,4}}(?=[A-Z][^\W\d_]{{2}})|[。！？](?=\S)")
_PARAGRAPH = re.compile(r"\n\s*\n\s*|\n\s*(?=[-–*·]\s|\(?\d{1,2}[.)]\s)|\s(?=[•▪●]\s)")
_LAST_WORD = re.compile(rf"((?:[^\W\d_]+[./])*[^\W\d_]+)\.[{_CLOSERS}]*$")
_INITIAL = re.compile(r"(?:^|[\s(\[,.*\-])[A-ZÀ-ÖØ-Þ]\.$")
_END = re.compile(rf"[.!?…。！？][{_CLOSERS}]{{0,4}}(?:\s*\[\d[\d.,;\s–-]{{0,20}}\]){{0,4}}$")
_OPEN_BRACKET = re.compile(r"\[[^\]]*$")
_NUMBERING = re.compile(r"^\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,4})[.)]$")
_LEFT_CHARS = 40


_VOCABULARY = 300_000
# spaCy remembers every word it has seen, which makes it three times as fast; past this many it starts anew.

_lock = threading.Lock()
_pipelines: dict[str, Language] = {}


def _pipeline(language: str) -> Language:
    # Here, not above: it takes seconds (where torch is installed it loads that too), and most commands cut nothing.
    import spacy

    pipeline = _pipelines.get(language)
    if pipeline is None or len(pipeline.vocab) > _VOCABULARY:
        pipeline = spacy.blank(language)
        pipeline.add_pipe("sentencizer")
        pipeline.max_length = 2 * _CHUNK_CHARS
        _pipelines[language] = pipeline
    return pipeline


def sentence_spans(text: str, language: str) -> list[tuple[int, int]]:
    """Return the spans (start, end) of the sentences, in order, without the white space around them.

    `language` chooses the tokenizer: `nl`, or `en` for every other code. The spans do not overlap, and all
    that lies between them is white space. A text of white space alone has none.
    """
    if not text.strip():
        return []
    starts = _wanted_starts(text, language)
    spans = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        piece = text[start:end]
        left = len(piece) - len(piece.lstrip())
        right = len(piece.rstrip())
        if right > left:
            spans.append((start + left, start + right))
    return _joined(text, spans)


def _wanted_starts(text: str, language: str) -> list[int]:
    paragraphs = {match.end() for match in _PARAGRAPH.finditer(text)}
    proposed = set(_spacy_starts(text, language)) | paragraphs
    proposed.update(match.end() for match in _MARK.finditer(text))
    proposed.update(match.end() for match in _GLUED.finditer(text))
    inside = [start for start in sorted(proposed) if 0 < start < len(text)]
    return [0, *(start for start in inside if start in paragraphs or _is_boundary(text, start))]


def _spacy_starts(text: str, language: str) -> Iterator[int]:
    masked = _LONG_WORD.sub(lambda match: "x" * len(match.group()), text)
    for begin, end in _chunks(masked):
        with _lock:
            pipeline = _pipeline("nl" if language == "nl" else "en")
            starts = [sentence.start_char for sentence in pipeline(masked[begin:end]).sents]
        yield from (begin + start for start in starts)


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    while begin < len(text):
        end = min(begin + _CHUNK_CHARS, len(text))
        if end < len(text):
            space = text.rfind(" ", begin + _CHUNK_CHARS // 2, end)
            end = space + 1 if space > 0 else end
        yield begin, end
        begin = end


def _is_boundary(text: str, start: int) -> bool:
    left = text[max(0, start - _LEFT_CHARS) : start].rstrip()
    right = text[start : start + _LEFT_CHARS].lstrip()
    if not left or not right or right[0] in ",;:)]}%/" or _OPEN_BRACKET.search(left):
        return False
    # spaCy also proposes the edges of the pieces it got, and marks inside a number or a name.
    if not _END.search(left):
        return False
    opener = right.lstrip("\"'“‘«([¿¡")[:1]
    return not opener.islower() and not _is_abbreviation(left, opener)


def _is_abbreviation(left: str, opener: str) -> bool:
    """Say whether the point at the end of `left` belongs to its last word; `opener` begins what follows."""
    match = _LAST_WORD.search(left)
    word = match.group(1).casefold() if match else ""
    if word in _SOMETIMES_FINAL or word in _ALSO_WORDS:
        return not opener.isupper()
    return word in _NEVER_FINAL or _INITIAL.search(left) is not None


def _joined(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join what is no sentence: a number of a list goes with what follows, a bare reference with what was."""
    joined: list[tuple[int, int]] = []
    carried: int | None = None
    for start, end in spans:
        piece = text[start:end]
        begin = start if carried is None else carried
        if (
            carried is None
            and joined
            and not any(char.isalpha() for char in piece)
            and "\n\n" not in (text[joined[-1][1] : start])
            and not _NUMBERING.match(piece)
        ):
            joined[-1] = (joined[-1][0], end)
        elif _NUMBERING.match(piece) and carried is None:
            carried = start
        else:
            joined.append((begin, end))
            carried = None
    if carried is not None:
        joined.append((carried, spans[-1][1]))
    return joined
