"""Dates: whether an event's own clause puts it in the past that no longer counts.

Each date scopes to the clause it stands in and is compared with the date of publication. Without that date only what
needs no comparison counts: an explicit year (news seldom names its own), *decades ago*, *during the Cold War*.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.extraction import tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacy.tokens import Token

RECENT_DAYS = 92
REACH = 6
"""Words before *when* among which the date of what follows is looked for."""
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_YEAR = re.compile(r"(?<![\d$€£,.:/-])(?:1[5-9]\d\d|20[0-4]\d)s?(?![\d,]*\d|\s?(?:troops|soldiers|men|km|tonnes))")
_MONTH_YEAR = re.compile(rf"\b({'|'.join(_MONTHS)})(?: \d{{1,2}})?,? ((?:19|20)\d\d)\b", re.IGNORECASE)
_LONG_AGO = re.compile(
    r"\b(?:(?:last|previous) (?:year|decade|century)|"
    r"(?:[\w-]+ )?(?:years?|decades?|centur(?:y|ies)|generations?) (?:ago|earlier|before)|"
    r"(?:four|five|six|seven|eight|nine|ten|eleven|several|[4-9]|1\d) months (?:ago|earlier|before)|"
    r"(?:in|during|after|before|throughout) (?:that|those|an earlier|the (?:last|previous|earlier)) "
    r"(?:war|conflict|crisis|siege|battle|campaign|occupation|uprising|era|period|times?|years?|days|decades?)|"
    r"at (?:the|that) time(?= |,|$)|back then|\w+[- ]era|cold war|world war|"
    r"(?:in|during|since) the (?:early |late |mid-?)?(?:(?:17|18|19|20)\d0s|seventies|eighties|nineties)|"
    r"(?:16|17|18|19)th[- ]century|in the past century|that year|"
    r"at the time of the (?:invasion|war)|wwii|ww2|wwi|d-day|holocaust|nazi|napoleonic|ottoman empire|medieval|"
    r"(?:during|in) the (?:first |second )?(?:gulf|vietnam|korean|falklands|crimean|bosnian|biafran|winter) war)\b",
    re.IGNORECASE,
)
_SINCE = re.compile(r"\bsince\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_PROSPECT = re.compile(r"\b(?:by|until|till|before|through|for)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_POST = re.compile(r"(?:post|pre)[- ]$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Past:
    """Words that put an event in the past, and their place in the sentence."""

    text: str
    start: int


def past_of(trigger: Token, published: dt.date | None) -> Past | None:
    """The words that put the event of ``trigger`` in the past that no longer counts; None if nothing does."""
    doc = trigger.doc
    for tokens in _scopes(trigger):
        if not tokens:
            continue
        base = tokens[0].idx
        text: str = doc.text[base : tokens[-1].idx + len(tokens[-1].text)]
        inside = {i for t in tokens for i in range(t.idx - base, t.idx - base + len(t.text))}
        found = [hit for hit in _past_words(text, published) if hit.start in inside]
        if found:
            return Past(found[0].text, base + found[0].start)
        if _current_year(text, published):
            return None
    return None


def _scopes(trigger: Token) -> Iterable[list[Token]]:
    """Where a date would be the event's: in its own phrase, then in its clause."""
    if not tree.is_verb(trigger):
        yield sorted(
            (
                t
                for t in trigger.subtree
                if tree.clause_head(t) == tree.clause_head(trigger) or tree.clause_head(t).dep_ == "acl"
            ),
            key=lambda t: t.i,
        )
    head = tree.clause_head(trigger)
    for _ in range(4):
        yield tree.clause(head)
        yield _when_clause(head, trigger)
        yield _told_when(head)
        if _shares_dates(head):
            head = tree.clause_head(head.head)
            continue
        return


def _shares_dates(head: Token) -> bool:
    """Whether a clause has its date from the one above: *In 1990 it invaded … and seized …*, *…, seizing …*."""
    if not tree.is_verb(head.head):
        return False
    if head.dep_ == "conj" and not tree.kids(head, *tree.SUBJECTS) and head.tag_ == head.head.tag_:
        return True
    return head.dep_ in {"advcl", "conj"} and head.tag_ == "VBG"


def _when_clause(head: Token, trigger: Token) -> list[Token]:
    """``… when it annexed the region in 2014`` dates its main clause too."""
    for clause in tree.kids(head, "advcl"):
        if clause != trigger and any(m.lower_ == "when" for m in tree.kids(clause, "advmod", "mark")):
            return sorted(clause.subtree, key=lambda t: t.i)
    return []


def _told_when(head: Token) -> list[Token]:
    """``… of forty years ago, when guns shelled the city``: what stands before *when* dates the clause behind it."""
    if head.dep_ not in {"relcl", "advcl"}:
        return []
    for when in tree.kids(head, "advmod", "mark"):
        if when.lower_ == "when":
            before = [t for t in head.doc[max(0, when.i - REACH) : when.i] if not t.is_punct]
            return before if before and before[-1].i >= when.i - 2 else []  # a comma may stand between
    return []


def _past_words(text: str, published: dt.date | None) -> list[Past]:
    found = [Past(m[0], m.start()) for m in _LONG_AGO.finditer(text)]
    months = {m.start(2): (_MONTHS.index(m[1].lower()) + 1, int(m[2])) for m in _MONTH_YEAR.finditer(text)}
    for match in _YEAR.finditer(text):
        before = text[max(0, match.start() - 24) : match.start()]
        if _SINCE.search(before) or _PROSPECT.search(before) or _POST.search(before):
            continue
        year = int(match[0].rstrip("s"))
        month = months.get(match.start(), (None, year))[0]
        if _is_past(year, month, published):
            found.append(Past(match[0], match.start()))
    return sorted(found, key=lambda past: past.start)


def _is_past(year: int, month: int | None, published: dt.date | None) -> bool:
    if published is None:
        return True
    last = dt.date(year, month, 28) if month else dt.date(year, 12, 31)
    return (
        (published - last).days > (RECENT_DAYS if month or year < published.year - 1 else -1) and year < published.year
    ) or (year == published.year and month is not None and (published - last).days > RECENT_DAYS)


def _current_year(text: str, published: dt.date | None) -> bool:
    return published is not None and any(int(m[0].rstrip("s")) >= published.year for m in _YEAR.finditer(text))
