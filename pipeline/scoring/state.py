"""What scoring holds of one dyad, and the bounds of it. Frozen: every step makes a new value.

Weights are kept *as at* ``DyadState.origin``: a weight ``w`` counts ``w * 0.5 ** ((t - origin) / half_life)`` at ``t``.
All weights share one half-life, so sums and maxima of kept weights never have to be touched as time passes, and a
score asked for twice, or only once later, is the same to the last bit.

Times are seconds since 1970 (UTC) in the records' own time.

Bounds, and what happens at them (together: at most about 50 KB as JSON for a busy dyad):

- ``MAX_STORIES`` stories are known again; the one longest without news is let go. Its weight stays in ``rest`` and goes
  on decaying, so the score does not jump; a later copy of it would count as a new story.
- ``MAX_STRANDS`` kinds of event in a story; a heavier new kind takes the place of the lightest.
- ``MAX_STORY_SOURCES`` sources of a story; more no longer raise its factor.
- ``MAX_ARTICLES`` articles of a story, the latest, are known again by their ids, however they were edited.
- ``MAX_OUTLETS`` sources of a dyad; the one longest silent is let go.
- ``MAX_IDS`` signal ids in each of two generations: the last ``MAX_IDS`` at least are known again, and all of the last
  ``ID_HALF_LIVES`` half-lives unless there were more.
- ``weighing.MAX_UNITS`` units of which the largest amount is kept.
- ``MAX_DAY_SOURCES`` sources of the last day, by name; the one longest silent is let go.
- ``MAX_EXHIBITS`` sentences, the heaviest, at most one of a kind in a story; sentences and addresses beyond
  ``MAX_SENTENCE`` and ``MAX_URL`` characters are cut or left out.

A dyad of which nothing is left is forgotten as a whole: see ``silence``.
"""

from __future__ import annotations

import msgspec

from pipeline.records import AlertEvidence

STATE_VERSION = 2
MAX_STORIES = 96
MAX_STRANDS = 6
MAX_STORY_SOURCES = 16
MAX_ARTICLES = 8
MAX_OUTLETS = 64
MAX_IDS = 1000
ID_HALF_LIVES = 4
MAX_DAY_SOURCES = 32
MAX_SOURCE = 100
MAX_EXHIBITS = 10
MAX_SENTENCE = 400
MAX_URL = 600
HISTORY = 48
"""Samples of the score that are kept; they cover one half-life."""
SAMPLES_A_HALF_LIFE = 48
OUTLET_HALF_LIVES = 2
"""Half-lives for which a source counts as one that has told of the dyad lately."""


class Strand(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One kind of event within a story: its heaviest signal's weight, and how many told of it.

    Attributes:
        kind: Type and modality, such as ``deployment/asserted``.
        weight: As at the origin; negative calms.
        count: Signals.
    """

    kind: str
    weight: float
    count: int


class Story(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One story, in however many copies it came.

    Attributes:
        number: Its number within the dyad, by which exhibits name it.
        sketch: What copies are known by: see ``stories.sketch``.
        last: When it was last told.
        sources: Tokens of the independent sources that told it.
        strands: Its kinds of event.
        weight: Sum over the strands times the factor of sources, as at the origin.
        articles: Tokens of the articles that told it last, each led by a full stop, in one text.
    """

    number: int
    sketch: bytes
    last: float
    sources: tuple[str, ...]
    strands: tuple[Strand, ...]
    weight: float
    articles: str = ""


class Exhibit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A sentence worth showing: the heaviest signal of a strand. ``evidence.weight`` is not set here."""

    story: int
    kind: str
    weight: float
    evidence: AlertEvidence


class Ids(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Signal ids that were counted, in two generations, each a text of tokens led by a full stop.

    Attributes:
        started: When the younger generation began.
        young, old: The generations.
        count: Tokens in the younger.
    """

    started: float
    young: str = ""
    old: str = ""
    count: int = 0


Counts = tuple[int, ...]
"""How many in each hour, the latest last; hours before the first that has any are left out, and at most 24 are kept."""


class Day(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Signals that counted in the last 24 hours, under whatever rule.

    Attributes:
        hour: Number of the latest hour since 1970.
        types: By type of event.
        sources: By source, the one longest silent first.
    """

    hour: int = 0
    types: dict[str, Counts] = {}
    sources: tuple[tuple[str, Counts], ...] = ()


class Episode(msgspec.Struct, frozen=True, gc=False):
    """The open alert.

    Attributes:
        alert_id, rule: Which.
        started: When its first level's condition came true.
        sequence: Of its last transition.
        level: 1 watch, 2 warning, 3 critical.
        changed: When the last transition was.
        score: At that time.
        told: Event types that its transitions have told of.
        stirred: Whether a signal has counted since the last look for an update.
        grown: Whether an amount grew since the last transition.
        muted: Why it is muted; None if it is not.
        announced: Whether any of its transitions was for everybody: then its end is, too.
        labels: The rule's when it was told last: its end bears them, whatever became of the rule.
    """

    alert_id: str
    rule: str
    started: float
    sequence: int
    level: int
    changed: float
    score: float
    told: tuple[str, ...]
    stirred: bool = False
    grown: bool = False
    muted: str | None = None
    announced: bool = False
    labels: dict[str, str] = {}


class DyadState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All of one dyad.

    Attributes:
        version: Of this shape.
        dyad, drill: Key, and whether it is of the drill.
        rule_version: Of the rule that ``held`` and ``falls`` are for.
        half_life, origin: What the kept weights mean.
        at: Time up to which everything has been decided.
        total: Sum of the stories' weights and ``rest``, as at the origin.
        rest: What stories that were let go still weigh, as at the origin.
        stories: Longest without news first.
        exhibits: Heaviest first.
        outlets: Sources of active escalating signals, and when each last told of one.
        ids: Signals that were counted.
        baseline: Trailing mean of the score.
        spread: Trailing variance about it.
        counted: Largest amounts told of a build-up: see ``weighing``.
        flow: Flow factor, number of outlets, and hours that they were counted for, of the last signal that counted.
        history: Latest samples of the score, oldest first.
        sampled: Number of the last sample: its time is that many steps after 1970.
        held: For each level, since when its condition has held.
        falls: For each level, when the score fell, or if nothing comes will fall, below its clear threshold.
        episode: The open alert.
        started: When the last alert started, open or not.
        applied, inactive: Signals counted, and signals that were recorded and do not count.
        numbered: Stories so far.
        day: What counted in the last day; kept on the first track.
    """

    version: int = STATE_VERSION
    dyad: str
    drill: bool
    rule_version: str
    half_life: float
    origin: float
    at: float
    total: float = 0.0
    rest: float = 0.0
    stories: tuple[Story, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    outlets: dict[str, float] = {}
    ids: Ids
    baseline: float = 0.0
    spread: float = 0.0
    counted: dict[str, tuple[float, float, float]] = {}
    flow: tuple[float, int, int] | None = None
    history: tuple[float, ...] = ()
    sampled: int
    held: tuple[float | None, float | None, float | None] = (None, None, None)
    falls: tuple[float, float, float]
    episode: Episode | None = None
    started: float | None = None
    applied: int = 0
    inactive: int = 0
    numbered: int = 0
    day: Day = Day()

    def score(self, at: float) -> float:
        """The score at a time at or after the last signal; never below 0."""
        return max(0.0, self.total) * self.decay(at)

    def decay(self, at: float) -> float:
        """What a kept weight of 1 counts at a time."""
        return float(0.5 ** ((at - self.origin) / self.half_life))

    @property
    def step(self) -> float:
        """Seconds between samples of the score."""
        return self.half_life / SAMPLES_A_HALF_LIFE
