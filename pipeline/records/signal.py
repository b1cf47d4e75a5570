"""Signal: one event that one sentence tells of, with who, whom, how sure, and why we say so."""

from __future__ import annotations

from typing import Literal

from pipeline.records.base import Part, Record, Time
from pipeline.records.flow import Flow
from pipeline.records.vocabulary import EventType, Modality, Polarity

Span = tuple[int, int]
TextPart = Literal["title", "text"]


class Party(Part, frozen=True, kw_only=True):
    """An actor or recipient.

    Attributes:
        text: The words that name it.
        code: ISO 3166-1 alpha-3 for states, else the gazetteer's code (``NATO``, ``EU``, ``WEST``).
        span: Start and end (exclusive) in the evidence's text part; None where it is implied.
        resolved_by: How the words became the code: ``name``, ``office``, ``capital``, ``demonym``, ``pronoun``,
            ``anaphora``, ``speaker``, ``implied``.
    """

    text: str
    code: str
    span: Span | None
    resolved_by: str


class Place(Part, frozen=True, kw_only=True):
    """Where: the words, and a state's code where one is known."""

    text: str
    code: str | None = None


class Magnitude(Part, frozen=True, kw_only=True):
    """How much.

    Attributes:
        value: The number, or None where only an item is named.
        comparator: ``exactly``, ``over``, ``under``, ``up_to``, ``about``, ``at_least``, ``dozens``, ``hundreds``,
            ``thousands``, ``tens_of_thousands``, ``hundreds_of_thousands``.
        unit: What is counted, in the plural: ``troops``, ``battalion tactical groups``, ``warships``, ``dollars``.
        text: The words.
        span: Start and end (exclusive) in the evidence's text part.
    """

    value: float | None
    comparator: str
    unit: str
    text: str
    span: Span


class Attribution(Part, frozen=True, kw_only=True):
    """Who says so: the speaker's words, code where known, and whether the event stands inside a quotation."""

    speaker: str
    code: str | None
    quoted: bool


class Cue(Part, frozen=True, kw_only=True):
    """Words that decided the modality, such as ``ruled out`` → ``negated``."""

    text: str
    decides: str
    span: Span | None


class Evidence(Part, frozen=True, kw_only=True):
    """Where it stands. All spans index ``Article.title`` or ``Article.text``, as ``part`` says.

    Attributes:
        part: Which text the spans index.
        sentence: The sentence.
        sentence_span: Its place.
        sentence_index: Its number in title and text together, 0-based.
        trigger: The words that name the event.
        trigger_span: Their place.
        cues: What decided the modality, innermost first.
    """

    part: TextPart
    sentence: str
    sentence_span: Span
    sentence_index: int
    trigger: str
    trigger_span: Span
    cues: tuple[Cue, ...] = ()


class Severity(Part, frozen=True, kw_only=True):
    """How grave, on PLOVER's scale turned round: positive escalates, negative calms.

    Attributes:
        plover: PLOVER code, such as ``THREATEN/restrict``.
        base: Weight of type and modality.
        factors: What it was multiplied by, by name (``magnitude``).
        score: ``base`` times the factors.
    """

    plover: str
    base: float
    factors: dict[str, float]
    score: float


class Extractor(Part, frozen=True, kw_only=True):
    """What made the signal: the extractor's version, and its model."""

    version: str
    model: str


class Signal(Record, frozen=True, kw_only=True):
    """One event in one sentence of one article.

    On the topic a signal stands once under each of its ``dyads`` (the message key); ``signal_id`` is the same.

    Attributes:
        signal_id: 32 hex digits, the same whenever the same article is read again.
        article_id, url, source, published_at, observed_at, drill, flow, heartbeat: As in the article. A heartbeat's has
            no dyads, and stands under ``*-*``.
        event_type, modality: What, and in what way; their product is the meaning.
        active: Whether it counts today: False for what is denied, feared, demanded or long past.
        polarity: Whether it escalates or calms.
        actors: Who does it, or would.
        recipients: To whom.
        dyads: Keys of the unordered pairs it is about, such as ``RUS-UKR`` or ``*-RUS``.
        condition: The words of its condition, such as ``if Russia invades the country``.
        attribution: Who says so; None for the outlet's own voice.
        reported_by: The outlet that is cited, such as ``Reuters``.
        confidence: 0 to 1.
        story: MinHash signature of the article, by which repeats of one story are known.
    """

    signal_id: str
    article_id: str
    url: str
    source: str
    published_at: Time
    observed_at: Time
    event_type: EventType
    modality: Modality
    active: bool
    polarity: Polarity
    actors: tuple[Party, ...]
    recipients: tuple[Party, ...]
    dyads: tuple[str, ...]
    location: Place | None
    magnitudes: tuple[Magnitude, ...]
    condition: str | None
    attribution: Attribution | None
    reported_by: str | None
    evidence: Evidence
    confidence: float
    severity: Severity
    extractor: Extractor
    story: str = ""
    drill: bool = False
    flow: Flow | None = None
    heartbeat: bool = False
