"""Last stage: which sentence of theirs answers which requirement, and which requirement nobody answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.encoders import Vectors
from matcher.features import Matrix
from matcher.generations import Generation
from matcher.model import Aspect, Evidence, Query

_MIN_QUOTE_WORDS = 5
_MAX_QUOTE_WORDS = 70
_ODD_LENGTH_PENALTY = 0.08
"""A heading or a list of references explains little; it is quoted only where nothing else comes near."""

_FRESH_MARGIN = 0.05
"""So much merit may be lost for a sentence that was not quoted yet; set by reading answers, not measured."""

MAX_EVIDENCE = 4


def unmet_aspects(query: Query, each: Matrix, threshold: float) -> tuple[Aspect, ...]:
    """The requirements whose standardised similarity with the profile stays below the threshold.

    Args:
        query: the analysed need.
        each: `(n_aspects,)`, in standard deviations above an ordinary profile.
        threshold: in the same unit, fitted on the choosing half.
    """
    return tuple(aspect for aspect, value in zip(query.aspects, each, strict=True) if value < threshold)


def evidence(
    generation: Generation, profile_id: str, query: Query, vectors: Vectors, unmet: Sequence[Aspect]
) -> tuple[Evidence, ...]:
    """The best sentence for each requirement that is met, strongest first; at least one where there is text.

    Args:
        generation: what is searched; quotes come from its own copy of the texts.
        profile_id: a profile with at least one passage.
        query: the analysed need.
        vectors: `(1 + n_aspects, dim)`, the whole need first.
        unmet: requirements that nothing is quoted for.
    """
    sentences = generation.sentences_of(profile_id)
    if not sentences.spans:
        return ()
    similarities = sentences.vectors.astype(np.float32) @ vectors.T
    weighed = similarities - _penalties(sentences.texts)[:, None]
    missing = {(aspect.start, aspect.end) for aspect in unmet}
    found: list[tuple[float, Aspect, int]] = []
    taken: set[int] = set()
    order = sorted(range(len(query.aspects)), key=lambda at: -float(weighed[:, 1 + at].max()))
    for at in order:
        aspect = query.aspects[at]
        if (aspect.start, aspect.end) in missing:
            continue
        # The requirement decides; the whole need breaks near-ties, so that quotes stay on its subject.
        merit = weighed[:, 1 + at] + 0.5 * weighed[:, 0]
        order_of_merit = [int(i) for i in np.argsort(-merit, kind="stable")]
        best = order_of_merit[0]
        # Another sentence tells more than the same one twice, unless none comes near.
        fresh = next((i for i in order_of_merit if i not in taken), best)
        if merit[fresh] >= merit[best] - _FRESH_MARGIN:
            best = fresh
        taken.add(best)
        found.append((float(similarities[best, 1 + at]), aspect, best))
    if not found:
        best = int(np.argmax(weighed[:, 0]))
        closest = int(np.argmax(similarities[best, 1:]))
        found.append((float(similarities[best, 0]), query.aspects[closest], best))
    found.sort(key=lambda item: (-item[0], item[1].start))
    return tuple(
        _quote(generation, sentences.spans[at], aspect, score) for score, aspect, at in found[:MAX_EVIDENCE]
    )


def _penalties(texts: Sequence[str]) -> NDArray[np.float32]:
    lengths = np.array([len(text.split()) for text in texts])
    odd = (lengths < _MIN_QUOTE_WORDS) | (lengths > _MAX_QUOTE_WORDS)
    return np.where(odd, _ODD_LENGTH_PENALTY, 0.0).astype(np.float32)


def _quote(generation: Generation, span: tuple[int, int, int], aspect: Aspect, similarity: float) -> Evidence:
    row, start, end = span
    passage = generation.passage(row)
    document = generation.document(passage.document_id) if passage.document_id else None
    return Evidence(
        aspect=aspect.text,
        aspect_start=aspect.start,
        aspect_end=aspect.end,
        quote=passage.text[start - passage.start : end - passage.start],
        quote_start=start,
        quote_end=end,
        document_id=passage.document_id,
        document_kind=document.kind if document else "description",
        title=document.title if document else generation.profiles[passage.profile_id].name,
        url=document.url if document else None,
        date=document.date if document else None,
        language=passage.language,
        similarity=similarity,
    )
