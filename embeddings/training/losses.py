"""What a step is punished for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

TEMPERATURE = 0.03
"""Of the student's similarities, in needs and translations."""

TEACHER_TEMPERATURE = 0.05
"""Softer than the student's: the teacher is wrong at times."""

SOFT, ALIGN, GEOMETRY = 0.5, 0.2, 0.5
"""Weights of the teacher's ranking, of the two languages' alignment, of the teacher's geometry."""


def contrast(queries: Tensor, passages: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """InfoNCE both ways: `queries (n, dim)` against `passages (m >= n, dim)`, where row i answers row i."""
    scores = queries @ passages.T / temperature
    right = torch.arange(len(queries))
    return (2 * cross_entropy(scores, right) + cross_entropy(scores[:, : len(queries)].T, right)) / 3


def soft_ranking(
    queries: Tensor, passages: Tensor, taught: Tensor, temperature: float = TEACHER_TEMPERATURE
) -> Tensor:
    """Divergence of the student's ranking of the passages from the teacher's similarities `(n, m)`."""
    student = log_softmax(queries @ passages.T / TEMPERATURE, dim=-1)
    return kl_div(student, softmax(taught / temperature, dim=-1), reduction="batchmean")


def geometry(student: Tensor, taught: Tensor, *, same: bool) -> Tensor:
    """1 - correlation of all similarities `(n, n)`; of texts with themselves (`same`) only those off the diagonal."""
    if same:
        keep = ~torch.eye(len(student), dtype=torch.bool)
        student, taught = student[keep], taught[keep]
    pair = torch.stack([student.reshape(-1), taught.reshape(-1)])
    return 1 - torch.corrcoef(pair)[0, 1]


def need_loss(en: Tensor, nl: Tensor, passages: Tensor, taught: Tensor) -> Tensor:
    """Needs in both languages (or titles: no Dutch, `nl` empty) to what answers them."""
    loss = torch.zeros(())
    for queries in (en, nl):
        if len(queries):
            loss = loss + contrast(queries, passages) + SOFT * soft_ranking(queries, passages, taught)
    if not len(nl):
        return loss
    return loss / 2 + ALIGN * contrast(en, nl)


def translation_loss(en: Tensor, nl: Tensor, taught: Tensor) -> Tensor:
    """Translations lie together, and all pairs as far apart as the teacher's English ones `(n, n)`."""
    kept = (
        geometry(en @ nl.T, taught, same=False)
        + geometry(en @ en.T, taught, same=True)
        + geometry(nl @ nl.T, taught, same=True)
    )
    return contrast(en, nl) + GEOMETRY * kept
