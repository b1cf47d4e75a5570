"""Stories: signals gathered by the story that they tell, however many outlets copied it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from msgspec.structs import replace

from pipeline.records import Signal
from pipeline.scoring.state import MAX_ARTICLES, MAX_STORIES, MAX_STORY_SOURCES, MAX_STRANDS, DyadState, Story, Strand

SKETCH = 32
"""Permutations of the signature that are compared. Of unrelated texts less than a few agree, of copies most."""
SAME_STORY = 0.5
SOURCE_FACTOR = 0.25
_ARTICLE_BYTES = 4  # of 768 articles and a stranger, two alike once in five million
ARTICLE_CHARS = 7
_SIGNATURE_BYTES = 512
_SIGNATURE_CHARS = 684
_LIGHT = 7  # significant digits of a kept weight: more would only lengthen what is stored


@lru_cache(maxsize=4096)
def source_token(source: str) -> str:
    """Four characters that stand for a source."""
    return base64.b64encode(hashlib.blake2b(source.encode(), digest_size=3).digest()).decode()


@lru_cache(maxsize=4096)
def article_token(article_id: str) -> str:
    """A full stop and six characters that stand for an article."""
    digest = hashlib.blake2b(article_id.encode(), digest_size=_ARTICLE_BYTES).digest()
    return "." + base64.b64encode(digest).decode().rstrip("=")


def owner(source: str, owners: Mapping[str, str]) -> str:
    """Who answers for the outlet: outlets of one owner count as one source."""
    return owners.get(source, source)


@lru_cache(maxsize=4096)
def _of_signature(signature: str) -> bytes | None:
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return None
    # The second byte of each value: the highest ones of a minimum over many shingles are nearly always 0.
    return raw[1::4][:SKETCH] if len(raw) == _SIGNATURE_BYTES else None


@lru_cache(maxsize=4096)
def _of_article(article_id: str) -> bytes:
    return hashlib.blake2b(article_id.encode(), digest_size=SKETCH).digest()


_ONES = np.ones(SKETCH, np.uint8)
"""A product with it sums: twice as fast as ``sum`` over so few."""


def sketch(signal: Signal) -> bytes:
    """What copies of the signal's story are known by: a byte of each of 32 permutations of its MinHash signature.

    A signal without one (a text of under five words) is known by its article alone.
    """
    known = _of_signature(signal.story) if len(signal.story) == _SIGNATURE_CHARS else None
    return _of_article(signal.article_id) if known is None else known


def find(stories: tuple[Story, ...], wanted: bytes) -> int | None:
    """Index of the story whose sketch agrees best with ``wanted``, if in at least half."""
    if not stories:
        return None
    held = np.frombuffer(b"".join([story.sketch for story in stories]), np.uint8).reshape(-1, SKETCH)
    agreeing = (held == np.frombuffer(wanted, np.uint8)).view(np.uint8) @ _ONES
    best = int(agreeing.argmax())
    return best if agreeing[best] >= SAME_STORY * SKETCH else None


def told_in(stories: tuple[Story, ...], article: str) -> int | None:
    """Index of the story that an article told before, if one did; the one with the latest news of several."""
    if article not in "".join([story.articles for story in stories]):  # nearly always
        return None
    return next((index for index in reversed(range(len(stories))) if article in stories[index].articles), None)


def source_factor(sources: int) -> float:
    """How much more a story weighs for being told by several independent sources: 1, 1.25 for two, 1.5 for four."""
    return 1.0 + SOURCE_FACTOR * math.log2(max(1, sources))


def light(weight: float) -> float:
    """``weight`` to seven significant digits."""
    return float(f"{weight:.{_LIGHT}g}")


def kind_of(signal: Signal) -> str:
    """Type and modality, such as ``deployment/asserted``."""
    return f"{signal.event_type}/{signal.modality}"


def _strengthen(strands: tuple[Strand, ...], kind: str, weight: float) -> tuple[Strand, ...]:
    """The strands with one more signal: of a kind that is there the heavier counts, not the sum."""
    for index, strand in enumerate(strands):
        if strand.kind == kind:
            heavier = weight if abs(weight) > abs(strand.weight) else strand.weight
            return (*strands[:index], Strand(kind, heavier, strand.count + 1), *strands[index + 1 :])
    if len(strands) < MAX_STRANDS:
        return (*strands, Strand(kind, weight, 1))
    lightest = min(range(MAX_STRANDS), key=lambda index: abs(strands[index].weight))
    if abs(weight) <= abs(strands[lightest].weight):
        return strands
    return (*strands[:lightest], Strand(kind, weight, 1), *strands[lightest + 1 :])


def tell(story: Story, kind: str, weight: float, source: str, at: float) -> Story:
    """The story with one more signal of ``kind`` from ``source``."""
    sources = story.sources
    if source not in sources and len(sources) < MAX_STORY_SOURCES:
        sources = (*sources, source)
    strands = _strengthen(story.strands, kind, weight)
    total = math.fsum(strand.weight for strand in strands) * source_factor(len(sources))
    return Story(story.number, story.sketch, max(at, story.last), sources, strands, light(total), story.articles)


def note(story: Story, known: bytes, article: str) -> Story:
    """The story with an article among those that told it.

    While one article alone tells it, the story goes by that article's latest text: it is the one that others will copy.
    """
    sketch = known if story.articles == article else story.sketch
    articles = story.articles.replace(article, "") + article
    return replace(story, sketch=sketch, articles=articles[-MAX_ARTICLES * ARTICLE_CHARS :])


def join(state: DyadState, signal: Signal, weight: float, source: str, at: float) -> tuple[DyadState, Story]:
    """The state with the signal in its story, known or new, and that story.

    An article stays in its story however it is edited; else the story is the one whose text is alike.

    Args:
        state: Before.
        signal: An active signal.
        weight: What it adds, as at the origin.
        source: Token of its source.
        at: The time it counts from.
    """
    known, article = sketch(signal), article_token(signal.article_id)
    index = told_in(state.stories, article)
    if index is None:
        index = find(state.stories, known)
    if index is None:
        story = Story(state.numbered, known, at, (), (), 0.0)
        others, numbered = state.stories, state.numbered + 1
    else:
        story = state.stories[index]
        others, numbered = state.stories[:index] + state.stories[index + 1 :], state.numbered
    story = note(tell(story, kind_of(signal), weight, source, at), known, article)
    rest = state.rest
    if len(others) >= MAX_STORIES:
        rest, others = rest + others[0].weight, others[1:]
    stories = (*others, story)
    total = math.fsum([rest, *[each.weight for each in stories]])
    return replace(state, stories=stories, numbered=numbered, rest=rest, total=total), story
