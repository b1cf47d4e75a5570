"""Scene: one parsed sentence with its names, its quotations, and what the article said before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pipeline.extraction.sentences import Sentence

if TYPE_CHECKING:
    import datetime as dt

    from spacy.tokens import Doc, Token

    from config.lexicon import Lexicon
    from pipeline.extraction.context import Context
    from pipeline.extraction.names import Mention
    from pipeline.extraction.sentence_model import Opinion

How = Literal["name", "office", "capital", "demonym", "pronoun", "anaphora", "speaker", "implied"]
WHERE_ONLY = frozenset({"city", "region", "sea"})
WHO = frozenset(
    {"state", "territory", "organisation", "alliance", "armed_group", "demonym", "people", "capital", "seat",
    "person", "office", "force"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reference:
    """Words that stand for an actor.

    Attributes:
        text: The words.
        code: The actor's code.
        span: Their place in the title or text; None where only implied.
        how: How the words became the code.
        kind: Of the name behind it: ``state``, ``person``, …
        certainty: 0 to 1.
    """

    text: str
    code: str
    span: tuple[int, int] | None
    how: How
    kind: str = ""
    certainty: float = 1.0


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks: the words, and the side they speak for."""

    text: str
    side: tuple[Reference, ...]


@dataclass(frozen=True)
class Scene:
    """One parsed sentence.

    Attributes:
        sentence: The sentence.
        doc: Its parse; token offsets index ``sentence.text``.
        by_token: The name that each token belongs to.
        quoted: Offsets of quotations inside the sentence.
        context: What was said before it.
        speaker: Who speaks in its quotations, where another sentence says so.
        published: Date of publication; None if not known.
        lexicon: The words that rules use.
        opinion: What the sentence model says of it; None where it was not asked.
        referents: Whom each token was found to stand for, so that none is looked into twice; filled by ``referents``.
    """

    sentence: Sentence
    doc: Doc
    by_token: Mapping[int, Mention]
    quoted: tuple[tuple[int, int], ...]
    context: Context
    speaker: Speaker | None
    published: dt.date | None
    lexicon: Lexicon = field(repr=False)
    opinion: Opinion | None = field(default=None, repr=False, compare=False)
    referents: dict[int, tuple[Reference, ...]] = field(default_factory=dict, repr=False, compare=False)

    def name_at(self, token: Token) -> Mention | None:
        """The name that ``token`` belongs to."""
        return self.by_token.get(token.i)

    def actor_at(self, token: Token) -> Mention | None:
        """The same, if it stands for somebody who can act."""
        name = self.by_token.get(token.i)
        return name if name is not None and name.code is not None and name.kind in WHO else None

    def is_quoted(self, token: Token) -> bool:
        """Whether ``token`` stands inside a quotation."""
        return any(start <= token.idx < end for start, end in self.quoted)

    def codes(self) -> set[str]:
        """Codes of all who can act and are named in the sentence."""
        return {name.code for name in self.by_token.values() if name.code and name.kind in WHO}

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the sentence as offsets in its part."""
        return self.sentence.start + start, self.sentence.start + end

    def cut(self, start: int, end: int) -> tuple[str, tuple[int, int]]:
        """The sentence's own words at these offsets of the parse, and their place in its part.

        What the parser read may be in small letters, and may end in a full stop that the sentence lacks.
        """
        words = self.sentence.text[start:end]
        return words, self.place(start, start + len(words))
