"""Reading: one article from sentences, names and parses to scenes, with context and speakers carried along."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.extraction import quotes, tree
from pipeline.extraction.context import Context, after_unparsed, of_mention
from pipeline.extraction.referents import resolve_all
from pipeline.extraction.scene import Reference, Scene, Speaker

if TYPE_CHECKING:
    import datetime as dt

    from spacy.tokens import Doc, Token

    from config.lexicon import Lexicon
    from pipeline.extraction.names import Mention
    from pipeline.extraction.sentence_model import Opinion
    from pipeline.extraction.sentences import Sentence
    from pipeline.records.signal import TextPart

Quotation = tuple[int, int]


@dataclass(frozen=True)
class Reading:
    """One article before it is parsed.

    Attributes:
        sentences: All of them.
        mentions: The names of each, by its index; offsets index the sentence's part.
        quoted: The quotations of each part.
        chosen: Indexes of the sentences to parse.
        gated: How many passed the gate (``chosen`` has those that tell who speaks, too).
        published: Date of publication; None if not known.
        opinions: What the sentence model says of each gated sentence, by its index.
    """

    sentences: tuple[Sentence, ...]
    mentions: Mapping[int, Sequence[Mention]]
    quoted: Mapping[TextPart, quotes.Quotes]
    chosen: tuple[int, ...]
    gated: frozenset[int]
    published: dt.date | None
    opinions: Mapping[int, Opinion] = field(default_factory=dict)


def by_sentence(
    sentences: Sequence[Sentence], mentions: Mapping[TextPart, Sequence[Mention]]
) -> dict[int, list[Mention]]:
    """The names of each sentence, by its index."""
    found: dict[int, list[Mention]] = {sentence.index: [] for sentence in sentences}
    for part, names in mentions.items():
        own = [sentence for sentence in sentences if sentence.part == part]
        starts = [sentence.start for sentence in own]
        for name in names:
            place = bisect_right(starts, name.start) - 1
            if place >= 0 and name.end <= own[place].end:
                found[own[place].index].append(name)
    return found


def with_speakers(
    gated: frozenset[int], sentences: Sequence[Sentence], quoted: Mapping[TextPart, quotes.Quotes]
) -> tuple[int, ...]:
    """The gated sentences, and those where a quotation begins or ends that a gated one stands in."""
    chosen = set(gated)
    for index in gated:
        sentence = sentences[index]
        for offset in (sentence.start, sentence.end - 1):
            span = quoted[sentence.part].at(offset)
            if span is None or (span[0] >= sentence.start and span[1] <= sentence.end):
                continue
            chosen |= {
                s.index
                for s in sentences[max(0, index - 12) : index + 12]
                if s.part == sentence.part and _touches(s, span)
            }
    return tuple(sorted(chosen))


def _touches(sentence: Sentence, span: Quotation) -> bool:
    return any(sentence.start - 2 <= edge <= sentence.end for edge in (span[0], span[1]))


def scenes(reading: Reading, docs: Mapping[int, Doc], lexicon: Lexicon) -> Iterator[Scene]:
    """A scene for each parsed sentence, in order."""
    context = Context()
    speakers: dict[tuple[str, Quotation], Speaker] = {}
    last: Speaker | None = None
    for sentence in reading.sentences:
        names = reading.mentions[sentence.index]
        doc = docs.get(sentence.index)
        if doc is None:
            context = after_unparsed(context, sentence, names)
            continue
        scene = _scene(reading, sentence, doc, context, lexicon, None)
        known = _known_speaker(reading, scene, docs, speakers, last, lexicon)
        if known is not None:
            scene = _scene(reading, sentence, doc, context, lexicon, known)
        yield scene
        said = _speaker_of(scene)
        last = said or known or last
        _remember(reading, scene, said or known, speakers)
        context = _after(context, scene)


def _scene(
    reading: Reading, sentence: Sentence, doc: Doc, context: Context, lexicon: Lexicon, speaker: Speaker | None
) -> Scene:
    by_token: dict[int, Mention] = {}
    for name in reading.mentions[sentence.index]:
        start, end = name.start - sentence.start, name.end - sentence.start
        shifted = _shifted(name, start, end)
        for token in doc.char_span(start, end, alignment_mode="expand") or ():
            by_token.setdefault(token.i, shifted)
    spans = [
        (max(start, sentence.start) - sentence.start, min(end, sentence.end) - sentence.start)
        for start, end in reading.quoted[sentence.part].spans
        if start < sentence.end and end > sentence.start
    ]
    return Scene(
        sentence,
        doc,
        by_token,
        tuple(spans),
        context,
        speaker,
        reading.published,
        lexicon,
        reading.opinions.get(sentence.index),
    )


def _shifted(name: Mention, start: int, end: int) -> Mention:
    import dataclasses

    return dataclasses.replace(name, start=start, end=end)


def _open(reading: Reading, sentence: Sentence) -> list[Quotation]:
    """Quotations of the sentence that begin before it or end after it."""
    spans = {reading.quoted[sentence.part].at(offset) for offset in (sentence.start, sentence.end - 1)}
    return sorted(s for s in spans if s is not None and (s[0] < sentence.start or s[1] > sentence.end))


def _known_speaker(
    reading: Reading,
    scene: Scene,
    docs: Mapping[int, Doc],
    speakers: Mapping[tuple[str, Quotation], Speaker],
    last: Speaker | None,
    lexicon: Lexicon,
) -> Speaker | None:
    """Who speaks in a quotation whose speaker another sentence names; the speaker before, where none does."""
    sentence = scene.sentence
    if not scene.quoted or _speaker_of(scene) is not None:
        return None
    for span in _open(reading, sentence):
        if (sentence.part, span) in speakers:
            return speakers[sentence.part, span]
        for other in reading.sentences[sentence.index + 1 : sentence.index + 12]:
            doc = docs.get(other.index)
            if doc is not None and other.part == sentence.part and other.start <= span[1] <= other.end + 1:
                found = _speaker_of(_scene(reading, other, doc, scene.context, lexicon, None))
                if found is not None:
                    return found
    covered = sum(end - start for start, end in scene.quoted)
    return last if covered > len(sentence.text) // 2 else None


def _remember(
    reading: Reading, scene: Scene, speaker: Speaker | None, speakers: dict[tuple[str, Quotation], Speaker]
) -> None:
    if speaker is not None:
        for span in _open(reading, scene.sentence):
            speakers.setdefault((scene.sentence.part, span), speaker)


def _speaker_of(scene: Scene) -> Speaker | None:
    """Who says something in the sentence, outside its quotations."""
    say = scene.lexicon.cues.say
    for token in scene.doc:
        if tree.is_verb(token) and tree.lemma(token) in say and not scene.is_quoted(token):
            for subject in tree.kids(token, "nsubj"):
                side = tuple(resolve_all(tree.conjuncts(subject), scene))
                if side:
                    return Speaker(_speaker_text(subject, side, scene), side)
    return None


def _speaker_text(subject: Token, side: tuple[Reference, ...], scene: Scene) -> str:
    if subject.pos_ == "PRON" and scene.context.person:
        return scene.context.person[0].text
    return tree.span_text(tree.phrase(subject)) if subject.pos_ != "PRON" else side[0].text


def _after(context: Context, scene: Scene) -> Context:
    base = scene.sentence.start
    named = [r for t in scene.doc if (n := scene.name_at(t)) and (r := of_mention(n, base)) is not None]
    root = next((t for t in scene.doc if t.dep_ == "ROOT"), None)
    subjects = [s for b in tree.kids(root, "nsubj", "nsubjpass") for s in tree.conjuncts(b)] if root is not None else []
    subject = tuple(resolve_all(subjects, scene))
    aliases = _aliases(scene)
    person = _person(subjects, scene, aliases) or tuple(r for r in named if r.kind == "person")[:1]
    return context.after(named, subject, person, aliases)


def _person(subjects: list[Token], scene: Scene, aliases: list[tuple[str, Reference]]) -> tuple[Reference, ...]:
    """The subject, if it is a person: by the gazetteer, or by an alias that the sentence or the article explains."""
    for subject in subjects:
        name = scene.actor_at(subject)
        if name is not None and name.kind in {"person", "office"}:
            return tuple(r for r in [of_mention(name, scene.sentence.start)] if r)
        explained = dict(aliases).get(subject.text) or scene.context.alias(subject.text)
        if explained is not None:
            return (explained,)
        if subject.lower_ in {"he", "she"}:
            return scene.context.person
    return ()


def _aliases(scene: Scene) -> list[tuple[str, Reference]]:
    """Family names of people whom the sentence gives with their title: ``Karim Haddad, the Lebanese envoy``."""
    found = []
    for token in scene.doc:
        if token.pos_ != "PROPN" or token.dep_ == "compound" or scene.name_at(token) is not None:
            continue
        if not (tree.kids(token, "appos") or tree.kids(token, "compound", "amod", "poss")):
            continue
        side = resolve_all([token], scene)
        if side and scene.context.alias(token.text) is None:
            text = tree.span_text(
                [t for t in tree.phrase(token) if t.pos_ == "PROPN" and scene.name_at(t) is None] or [token]
            )
            found.append((token.text, Reference(text, side[0].code, None, "office", "person", 0.9)))
    return found
