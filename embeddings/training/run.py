"""The training run: steps, moving average, checkpoints, log."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog
import torch
from torch import Tensor

from embeddings.training.losses import need_loss, translation_loss
from embeddings.training.measure import tune_figures
from embeddings.training.model import PASSAGE, QUERY, TextModel, freeze, save
from embeddings.training.recipe import Recipe
from embeddings.training.teacher import MiniLM

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one run; written at the head of its log."""

    seed: int = 20261125
    rate: float = 5e-5
    warmup: int = 20
    average: float = 0.98
    """Of the moving average of the weights, which is what ships: it stands for a falling learning rate."""
    frozen_layers: int = 4
    query_tokens: int = 64
    passage_tokens: int = 128
    checkpoint_s: float = 300.0
    measure_steps: int = 600
    """Rarely: it takes as long as a dozen steps. Checkpoints can be exported and measured beside the run."""


class Task(Protocol):
    """What a run learns."""

    def sizes(self) -> dict[str, int]:
        """How much material there is of each kind."""

    def loss(self, model: TextModel, number: int) -> tuple[str, Tensor]:
        """Kind and loss of the step of this number, from 0."""

    def keep(self) -> None:
        """Write what a resumed run need not compute again."""


class Answering:
    """The task of adapting: what answers a need lies near it, in both languages."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._settings = settings
        self._teacher = MiniLM(folder / "teacher.npz")
        self._recipe = Recipe(settings.seed, self._teacher)

    def sizes(self) -> dict[str, int]:
        """How much material there is of each kind."""
        return self._recipe.sizes()

    def loss(self, model: TextModel, number: int) -> tuple[str, Tensor]:
        """Kind and loss of the step of this number, from 0."""
        step, settings = self._recipe.step(number), self._settings
        queries = model.encode(
            [QUERY + text for text in step.queries_en + step.queries_nl], settings.query_tokens
        )
        en, nl = queries[: len(step.queries_en)], queries[len(step.queries_en) :]
        taught = self._teacher(step.queries_en)
        if not step.passages:
            return step.kind, translation_loss(en, nl, taught @ taught.T)
        passages = model.encode([PASSAGE + text for text in step.passages], settings.passage_tokens)
        return step.kind, need_loss(en, nl, passages, taught @ self._teacher(step.english).T)

    def keep(self) -> None:
        """Write the teacher's vectors."""
        self._teacher.keep()


class Run:
    """A run in its folder: `log.jsonl`, `state.pt` (all that resuming needs), `average-STEP.pt` (models)."""

    def __init__(self, folder: Path, start: TextModel, task: Task, settings: Settings) -> None:
        """Begin, or take up what lies in the folder. `start` is trained in place."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._settings = settings
        self._model = start
        self._average = deepcopy(start)
        self._task = task
        freeze(self._model, settings.frozen_layers)
        self._trained = {n: p for n, p in self._model.named_parameters() if p.requires_grad}
        self._averaged = dict(self._average.named_parameters())
        self._optimizer = torch.optim.AdamW(self._trained.values(), lr=settings.rate, weight_decay=0.01)
        self._task.keep()
        self._step = 0
        state = folder / "state.pt"
        if state.exists():
            self._resume(torch.load(state, weights_only=True))
        self._note("start", **asdict(settings), sizes=task.sizes(), threads=torch.get_num_threads())

    def train(self, until: int) -> None:
        """Take steps until `until`; stop at the end of a step when a file `stop` lies in the folder."""
        saved = time.monotonic()
        while self._step < until and not (self._folder / "stop").exists():
            began = time.monotonic()
            kind, loss = self._take()
            self._note("step", kind=kind, loss=round(loss, 4), seconds=round(time.monotonic() - began, 2))
            if self._step % self._settings.measure_steps == 0:
                self._note("tune", **tune_figures(self._average))
            if time.monotonic() - saved > self._settings.checkpoint_s:
                self._keep()
                saved = time.monotonic()
        self._keep()

    def _take(self) -> tuple[str, float]:
        settings = self._settings
        for group in self._optimizer.param_groups:
            group["lr"] = settings.rate * min(1.0, (self._step + 1) / settings.warmup)
        self._optimizer.zero_grad(set_to_none=True)
        kind, loss = self._task.loss(self._model, self._step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._trained.values(), 1.0)
        self._optimizer.step()
        self._step += 1
        # The start counts for little from the first steps on: the average's span grows with the run.
        keep = min(settings.average, self._step / (self._step + 4))
        with torch.no_grad():
            for name, weight in self._trained.items():
                self._averaged[name].lerp_(weight, 1 - keep)
        return kind, float(loss.detach())

    def _keep(self) -> None:
        state = {
            "step": self._step,
            "model": self._model.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        beside = self._folder / "state.tmp"
        torch.save(state, beside)
        beside.replace(self._folder / "state.pt")
        save(self._average, self._folder / f"average-{self._step}.pt")
        self._task.keep()
        self._note("kept")

    def _resume(self, state: dict[str, Any]) -> None:
        self._step = state["step"]
        self._model.load_state_dict(state["model"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])

    def _note(self, event: str, **figures: object) -> None:
        line = {"event": event, "step": self._step, "at": time.strftime("%FT%TZ", time.gmtime()), **figures}
        with (self._folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        log.info(event, step=self._step, **figures)
