"""Splitting the corpus: stable, without overlap, and with some of everything on both sides."""

from __future__ import annotations

import random

import pytest

from pipeline.training.corpus import Template, count_events, load_corpus
from pipeline.training.split import portion, split


@pytest.fixture(scope="module")
def templates() -> tuple[Template, ...]:
    return load_corpus()


def test_parts_cover_everything_once(templates: tuple[Template, ...]) -> None:
    """No template may train and validate, and none may be lost."""
    parts = split(templates)
    train, validation = set(parts.train), set(parts.validation)
    assert not train & validation
    assert train | validation == set(templates)
    assert 0.13 < len(validation) / len(templates) < 0.17


def test_order_changes_nothing(templates: tuple[Template, ...]) -> None:
    """The split depends on the words alone: lines that are moved stay on their side."""
    mixed = random.Random(3).sample(templates, len(templates))
    assert set(split(tuple(mixed)).validation) == set(split(templates).validation)


def test_every_common_event_is_on_both_sides(templates: tuple[Template, ...]) -> None:
    """A type and modality with ten templates or more is learnt and validated."""
    parts = split(templates)
    validated, trained = count_events(parts.validation), count_events(parts.train)
    common = [event for event, count in count_events(templates).items() if count >= 10]
    assert [event for event in common if not (validated[event] and trained[event])] == []
    silent = [sum(not template.events for template in part) for part in (parts.validation, templates)]
    assert 0.1 < silent[0] / silent[1] < 0.2


def test_portions_nest(templates: tuple[Template, ...]) -> None:
    """The learning curve compares a corpus with its own parts: a quarter is within the half."""
    quarter, half = portion(templates, 0.25), portion(templates, 0.5)
    assert set(quarter) < set(half) < set(templates)
    assert portion(templates, 1.0) == templates
    assert len(quarter) == round(len(templates) / 4)
