"""Do answers to the system's questions raise nDCG@10 on terse needs? All 667 teams compete.

The answer to a question is simulated from the same case's impact text (`ref-teams-dev/impact.jsonl`: `summary`,
`details`): the sentence in which most cues of the question's code stand, never one that speaks of research or those who
did it, and never the team's own text. That text is English, so a Dutch need is answered in English: its figure is a lower
bound. Prints nDCG@10 with no, one, two and three answers, by language, with paired tests:

    python -m benchmarks.questions --part tune
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.reference import ReferenceNeed, evaluation_data, needs
from corpora.connectors.collection import CollectionNeed
from corpora.sentences import sentence_spans
from embeddings.cache import CachedEncoder, VectorCache
from embeddings.encoders import open_encoder
from matcher.analysis import analyse
from matcher.evaluation.experiment import answer, measure, open_collection
from matcher.evaluation.measures import paired_difference
from matcher.pipeline import Pipeline
from matcher.questions import MAX_QUESTIONS, answered, cue_count, questions

MAX_ANSWER_WORDS = 40
"""Nobody answers a question on a form at greater length."""

MIN_ANSWER_WORDS = 6

# Such a sentence tells of those who did the research, which no company could have answered.
_TELLS = re.compile(
    r"research|universit|professor|\bprof\b|\bdr\b|department|school of|institute|college|impact|spin-?(?:out|off)|"
    r"paper|publication|published|\bteam\b|our work|case study|REF\b|\[\w?\d|\(\w?\d+\)",
    re.IGNORECASE,
)


def terse_needs(data: Path, part: str) -> list[ReferenceNeed]:
    """The needs of a part whose style is "terse", in both languages, by id."""
    terse: set[str] = set()
    for file in (data / "needs_dev.jsonl", data / "train" / "needs_ref.jsonl"):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["style"] == "terse":
                terse.add(row["case_id"])
    return [need for need in needs(data, part.split(",")) if need.team in terse]


def answer_sentences(data: Path) -> dict[str, list[str]]:
    """Team id -> sentences of its impact text that a company could have said."""
    found: dict[str, list[str]] = {}
    for line in (data / "ref-teams-dev" / "impact.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = f"{row['details']}\n{row['summary']}"
        each = (" ".join(text[start:end].split()) for start, end in sentence_spans(text, "en"))
        found[row["id"]] = [
            sentence
            for sentence in dict.fromkeys(each)
            if MIN_ANSWER_WORDS <= len(sentence.split()) <= MAX_ANSWER_WORDS and not _TELLS.search(sentence)
        ]
    return found


def simulate(code: str, sentences: list[str]) -> str | None:
    """The sentence with most cues of the code, the first of several; None where no sentence answers."""
    best = max(sentences, key=lambda sentence: cue_count(sentence, code, "en"), default="")
    return best if best and cue_count(best, code, "en") else None


def with_answers(need: ReferenceNeed, sentences: list[str], n_answers: int) -> tuple[str, list[str]]:
    """The need with its first so many questions answered where the text holds an answer; the codes answered."""
    text, codes, left = need.text, [], list(sentences)
    for question in questions(analyse(need.text, need.language))[:n_answers]:
        said = simulate(question.code, left)
        if said is not None:
            text = answered(text, question.code, said, need.language)
            codes.append(question.code)
            left.remove(said)
    return text, codes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoder", default="kennismatch")
    parser.add_argument("--part", default="tune")
    parser.add_argument("--limit", type=int, help="only so many needs, for a quick look")
    parser.add_argument("--cache", type=Path, default=Path("data"), help="folder of vectors.sqlite")
    parser.add_argument("--show", action="store_true", help="print each need with its answers")
    options = parser.parse_args()
    data = evaluation_data()
    chosen = terse_needs(data, options.part)[: options.limit]
    sentences = answer_sentences(data)
    languages = {need.id: need.language for need in chosen}
    qrels = {need.id: {need.team: 1} for need in chosen}
    encoder = CachedEncoder(open_encoder(options.encoder), VectorCache(options.cache / "vectors.sqlite"))
    values: list[dict[str, float]] = []
    print(f"{len(chosen)} terse needs of the part {options.part}, all teams competing; {encoder.name}.\n")
    print("| answers | language | needs | answered | nDCG@10 |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        pipeline = Pipeline(open_collection(data / "ref-teams-dev", encoder, Path(scratch)), encoder)
        for n_answers in range(MAX_QUESTIONS + 1):
            texts = {need.id: with_answers(need, sentences[need.team], n_answers) for need in chosen}
            asked = [CollectionNeed(need.id, texts[need.id][0], need.language) for need in chosen]
            ranked, unanswered = answer(pipeline, asked, "pipeline", 100)
            assert not unanswered, unanswered
            run = {need: [profile for profile, _ in ranking] for need, ranking in ranked.items()}
            estimates, by_measure = measure(run, qrels, languages)
            values.append(dict(by_measure["nDCG@10"]))
            for language in sorted(set(languages.values())):
                own = [codes for need, (_, codes) in texts.items() if languages[need] == language]
                share = sum(map(bool, own)) / len(own)
                row = estimates[language]["nDCG@10"]
                print(f"| {n_answers} | {language} | {len(own)} | {share:.2f} | {row} |", flush=True)
    print()
    for n_answers in range(1, MAX_QUESTIONS + 1):
        for language in sorted(set(languages.values())):
            mine = [need for need in languages if languages[need] == language]
            gap = paired_difference(
                {need: values[n_answers][need] for need in mine}, {need: values[0][need] for need in mine}
            )
            print(
                f"- {n_answers} answers minus none, {language}: {gap.mean:+.3f} "
                f"(p = {gap.p_value:.4f}, {gap.n_needs} needs)"
            )
    codes = Counter(code for _, answers in texts.values() for code in answers)
    print(f"- answered: {dict(codes.most_common())}")
    if options.show:
        for need in chosen:
            before, after = values[0][need.id], values[-1][need.id]
            print(f"  {before:.2f} -> {after:.2f} {need.id}: {texts[need.id][0]}")


if __name__ == "__main__":
    main()
