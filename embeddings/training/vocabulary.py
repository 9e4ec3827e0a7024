"""The vocabulary cut down to Dutch and English: which pieces stay, and the tokenizer that remains."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from embeddings.training import sources

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
MARK = "▁"
"""What stands for the space before a word."""

SCRIPTS = ("LATIN", "GREEK", "DIGIT", "SUPERSCRIPT", "SUBSCRIPT")
CATEGORIES = ("P", "S", "N")
"""Unicode categories whose single characters stay: punctuation, symbols, numbers."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How a tokenizer fares on texts."""

    tokens_per_word: float
    unknown_share: float


def keeps_always(piece: str) -> bool:
    """Whether a piece is one character of Latin script, Greek, a digit, a mark or a symbol."""
    bare = piece.removeprefix(MARK)
    if piece in SPECIAL or piece == MARK:
        return True
    if len(bare) != 1 or ord(bare) > 0x2FFF:
        return False
    if unicodedata.category(bare)[0] in CATEGORIES and ord(bare) < 0x2C00:
        return unicodedata.name(bare, "").split(" ")[0] not in {
            "ARABIC",
            "DEVANAGARI",
            "THAI",
            "BENGALI",
            "TIBETAN",
        }
    return unicodedata.name(bare, "").startswith(SCRIPTS)


def count(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[int]:
    """How often each piece occurs."""
    counts: Counter[int] = Counter()
    for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        counts.update(encoding.ids)
    return counts


def texts_by_language() -> dict[str, list[str]]:
    """Texts to count over: those that are trained on, with a sample of papers; nothing of tune, report or aside."""
    train = sources.teams("train")
    kept = sources.aside("passages-nl")
    works_aside = sources.aside("works") | kept
    rows_aside = sources.aside("translations")
    needs = [n for n in sources.team_needs() if n.key in train]
    needs += [n for n in sources.paper_needs() if n.key not in kept]
    translations = [*sources.manuals(), *sources.glossary()]
    translations += [t for i, t in enumerate(sources.field_translations()) if str(i) not in rows_aside]
    papers = [w for w in sources.works().values() if w.id not in works_aside][::4]
    english = [f"{w.title}. {w.abstract}" for w in papers]
    english += [p for team in sorted(train) for p in sources.team_passages()[team]]
    return {
        "en": english + [n.en for n in needs] + [t.en for t in translations],
        "nl": [n.nl for n in needs]
        + [n.passage_nl for n in needs if n.passage_nl]
        + [t.nl for t in translations],
    }


def choose(full: Tokenizer, size: int, words_nl: Iterable[str]) -> list[int]:
    """Ids of the pieces that stay, specials first, then in the order of the full vocabulary.

    Counts are shares of each language, so that the larger English texts do not crowd out Dutch; the Dutch word
    list `words_nl` (forms, each once) adds a tenth, for the Dutch that the training texts do not use.
    """
    share: dict[int, float] = {}
    weighed = [(1.0, count(full, texts)) for texts in texts_by_language().values()]
    weighed.append((0.1, count(full, words_nl)))
    for weight, counts in weighed:
        total = counts.total()
        for piece, times in counts.items():
            share[piece] = share.get(piece, 0.0) + weight * times / total
    vocabulary = full.get_vocab()
    always = {i for piece, i in vocabulary.items() if keeps_always(piece)}
    best = sorted((i for i in share if i not in always), key=lambda i: (-share[i], i))
    return sorted(always | set(best[: size - len(always)]))


def trimmed(full_json: Path, ids: list[int], out: Path) -> Tokenizer:
    """Write the tokenizer of these pieces as `out` and load it; ids become 0 ... len(ids) - 1."""
    spec = json.loads(full_json.read_text(encoding="utf-8"))
    spec["model"]["vocab"] = [spec["model"]["vocab"][i] for i in ids]
    spec["added_tokens"] = [token for token in spec["added_tokens"] if token["content"] in SPECIAL]
    out.write_text(json.dumps(spec, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    return Tokenizer.from_file(str(out))


def coverage(tokenizer: Tokenizer, texts: Iterable[str]) -> Coverage:
    """Tokens a word (words as white space parts them) and the share of unknown tokens."""
    texts = list(texts)
    counts = count(tokenizer, texts)
    words = sum(len(text.split()) for text in texts)
    return Coverage(counts.total() / words, counts[SPECIAL.index("<unk>")] / counts.total())
