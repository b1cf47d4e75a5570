"""Worth: whether a text has a sentence that extraction would read closely, told by the gate alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.lexicon import load_lexicon
from config.names import load_gazetteer
from config.settings import Settings, or_packaged
from pipeline.extraction import sentences
from pipeline.extraction.gate import Gate, count_actors
from pipeline.extraction.names import NameMatcher
from pipeline.extraction.reading import by_sentence

if TYPE_CHECKING:
    from pipeline.records.signal import TextPart

MAX_TEXT = 20_000
"""Characters of a text that are looked at: it is about beginnings of articles."""


def load_gate(settings: Settings) -> Callable[[str], bool]:
    """What says whether a text, its title in the first line, passes the gate. It takes 2.5 s and 20 MB to make.

    Raises:
        ConfigError: Lexicon or gazetteer are wrong.
    """
    gate = Gate(load_lexicon(or_packaged(settings.config_dir / "lexicon.yaml")))
    names = NameMatcher(load_gazetteer(or_packaged(settings.gazetteer_dir)))

    def passes(text: str) -> bool:
        title, _, rest = text[:MAX_TEXT].partition("\n")
        found = sentences.split(title, rest)
        parts: dict[TextPart, str] = {"title": title[: sentences.MAX_SENTENCE], "text": rest}
        today = datetime.now(UTC).date()
        acting = count_actors(by_sentence(found, {part: names.mentions(whole, today) for part, whole in parts.items()}))
        return any(gate.passed(whole, [s for s in found if s.part == part], acting) for part, whole in parts.items())

    return passes
