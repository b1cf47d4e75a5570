"""Context: who was spoken of before, so that pronouns and ``the country`` find their antecedents across sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.extraction.scene import WHO, Reference

if TYPE_CHECKING:
    from pipeline.extraction.names import Mention
    from pipeline.extraction.sentences import Sentence

MAX_RECENT = 8
ORGANISED = frozenset({"organisation", "alliance"})


@dataclass(frozen=True, slots=True)
class Context:
    """What the article has said so far.

    Attributes:
        recent: Actors, most recent first, each code once; people only as a last resort.
        subject: Subjects of the sentence before.
        person: The person spoken of last, preferably as a subject.
        aliases: Family names that the article explained, such as those of officials given with their title.
    """

    recent: tuple[Reference, ...] = ()
    subject: tuple[Reference, ...] = ()
    person: tuple[Reference, ...] = ()
    aliases: tuple[tuple[str, Reference], ...] = ()

    def states(self, without: Iterable[str] = ()) -> list[Reference]:
        """States, most recent first: those named as such before those that only a person stands for."""
        barred = set(without)
        states = [
            r for r in self.recent if r.kind not in ORGANISED and r.kind != "armed_group" and r.code not in barred
        ]
        return [r for r in states if r.how != "office"] + [r for r in states if r.how == "office"]

    def organisations(self) -> list[Reference]:
        """Organisations and alliances, most recent first."""
        return [r for r in self.recent if r.kind in ORGANISED]

    def alias(self, word: str) -> Reference | None:
        """Who an explained family name stands for."""
        return next((reference for name, reference in self.aliases if name == word), None)

    def after(
        self,
        named: Iterable[Reference],
        subject: tuple[Reference, ...] = (),
        person: tuple[Reference, ...] = (),
        aliases: Iterable[tuple[str, Reference]] = (),
    ) -> Context:
        """The context after a sentence.

        Args:
            named: Who is named in it, in order.
            subject: Who its main clause is about.
            person: The person it is about.
            aliases: Family names that it explains.
        """
        latest: dict[tuple[str, bool], Reference] = {}
        for reference in [*reversed(list(named)), *self.recent]:
            latest.setdefault((reference.code, reference.how == "office"), replace(reference, span=None))
        known = {name for name, _ in aliases}
        return Context(
            recent=tuple(latest.values())[:MAX_RECENT],
            subject=subject or self.subject,
            person=person or self.person,
            aliases=(*aliases, *(pair for pair in self.aliases if pair[0] not in known))[:32],
        )


def of_mention(mention: Mention, base: int = 0) -> Reference | None:
    """A name as a reference; None for places, outlets and people who speak for nobody."""
    if mention.code is None or mention.kind not in WHO:
        return None
    span = (base + mention.start, base + mention.end)
    return Reference(mention.text, mention.code, span, mention.resolved_by, mention.kind, mention.certainty)


def after_unparsed(context: Context, sentence: Sentence, mentions: Iterable[Mention]) -> Context:
    """The context after a sentence that was not parsed: its first name passes for its subject."""
    del sentence
    named = [reference for mention in mentions if (reference := of_mention(mention))]
    person = tuple(r for r in named if r.kind == "person")[:1]
    return context.after(named, tuple(named[:1]), person)
