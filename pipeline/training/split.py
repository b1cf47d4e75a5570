"""Which templates train and which validate: by a hash of their words, so that no run, order or machine changes it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from pipeline.training.corpus import Event, Template, count_events

VALIDATION_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Split:
    """The two parts; no template is in both."""

    train: tuple[Template, ...]
    validation: tuple[Template, ...]


def rank(template: Template, salt: str = "") -> str:
    """A number in hexadecimal that depends on the template's text (and ``salt``) only."""
    return hashlib.sha256(f"{salt}{template.text}".encode()).hexdigest()


def split(templates: tuple[Template, ...], share: float = VALIDATION_SHARE) -> Split:
    """The ``share`` of every stratum with the lowest ranks validates, the rest trains.

    A stratum is a template's rarest type and modality; of negatives, their form. Strata of up to three stay
    in training.
    """
    counts = count_events(templates)
    strata: dict[tuple[str, ...], list[Template]] = {}
    for template in templates:
        strata.setdefault(_stratum(template, counts), []).append(template)
    held: set[str] = set()
    for members in strata.values():
        members.sort(key=rank)
        held.update(template.place for template in members[: round(share * len(members))])
    return Split(
        tuple(template for template in templates if template.place not in held),
        tuple(template for template in templates if template.place in held),
    )


def portion(templates: tuple[Template, ...], share: float) -> tuple[Template, ...]:
    """The ``share`` of ``templates`` with the lowest ranks; each smaller portion is part of every larger one."""
    chosen = {
        template.place
        for template in sorted(templates, key=lambda t: rank(t, "portion"))[: round(share * len(templates))]
    }
    return tuple(template for template in templates if template.place in chosen)


def _stratum(template: Template, counts: Counter[Event]) -> tuple[str, ...]:
    if not template.events:
        return ("negative", template.form)
    kind, modality = min(template.events, key=lambda event: (counts[event], event))
    return (kind, modality)
