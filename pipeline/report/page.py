"""Page: a report as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.explain.marks import visible
from pipeline.records import Alert, AlertEvidence, EventType, Level, Modality, Transition
from pipeline.report.content import many

if TYPE_CHECKING:
    from pipeline.evaluation.episodes import Episode
    from pipeline.report.content import Content, Panel, Period, Tally

SAFE = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may do with the page: show it in its own style."""
MAX_TEXT = 1000
MAX_URL = 600
MAX_CHANGES = 12
Draw = Callable[["Panel", "Period"], str]
"""Makes the chart of a dyad over a time, as SVG."""


def page(content: Content, draw: Draw, key: Sequence[str], verdicts: str = "") -> Iterator[str]:
    """The page, piece by piece.

    Args:
        content: What to show.
        draw: Makes a chart.
        key: What the signs in a chart mean.
        verdicts: The section that holds the alerts against dated events, as HTML; empty for none.
    """
    yield _head(content)
    yield verdicts
    yield _summary(content)
    for panel in content.panels:
        yield _panel(panel, draw(panel, content.period), key)
    if content.panels_left_out:
        yield f'<p class="note">{content.panels_left_out} more dyads with alerts have no chart here.</p>\n'
    yield _kinds(content)
    yield "</main>\n<footer>Made by brinkwatch replay. Times are UTC.</footer>\n</body>\n</html>\n"


def safe(text: str, most: int = MAX_TEXT) -> str:
    """``text`` from outside for a page: escaped, cut, without what can't be seen."""
    return escape(visible(text if len(text) <= most else text[:most] + "…"))


def pair(dyad: str) -> str:
    """A dyad's key as a person writes it."""
    return safe(dyad, 60).replace("-", "–")  # noqa: RUF001  a pair's dash


def pill(level: Level) -> str:
    """A level in its colour."""
    return f'<span class="pill {level}">{level}</span>'


def moment(at: datetime, *, year: bool = True) -> str:
    """Date and time of day."""
    return f'<time datetime="{at.isoformat()}">{at:%-d %b}{f" {at.year}" if year else ""} {at:%H:%M}</time>'


def table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]], style: str = "") -> str:
    """A table; cells are HTML. Columns after the first are figures, unless ``style`` says else."""
    top = "".join(f"<th>{head}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    return f'<table class="{style}"><thead><tr>{top}</tr></thead>\n<tbody>{body}</tbody></table>\n'


def _head(content: Content) -> str:
    style = files("pipeline.report").joinpath("report.css").read_text(encoding="utf-8")
    title = content.title
    begins, ends = content.begins, content.ends
    period = f"<span>{begins:%-d %B %Y} to {ends:%-d %B %Y}</span>" if begins and ends else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{SAFE}">\n'
        f"<title>Brinkwatch: {title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'<header><p class="over">Brinkwatch replay</p><h1>{title}</h1>\n<p class="facts">{period}'
        f"<span>{many(content.articles, 'article')}</span><span>{many(content.signals, 'signal')}</span>"
        f"<span>{safe(content.name, 200)}</span></p></header>\n<main>\n"
    )


def _summary(content: Content) -> str:
    heads = ("Dyad", "Level reached", "Highest score", "Alerts", "Articles", "Signals", "of them active")
    alerted, calm = ([tally for tally in content.tallies if bool(tally.alerts) is told] for told in (True, False))
    shown = table(heads, map(_row, alerted), "dyads") if alerted else ""
    rest = f'<p class="note">{content.rows_left_out} more dyads had signals.</p>\n' if content.rows_left_out else ""
    return f"<section><h2>Dyads</h2>\n{shown}{_calm(calm)}{rest}</section>\n"


def _calm(tallies: Sequence[Tally]) -> str:
    """Dyads without an alert, folded away."""
    if not tallies:
        return ""
    rows = ((pair(each.dyad), *(f"{figure:,}" for figure in _counts(each))) for each in tallies)
    held = table(("Dyad", "Articles", "Signals", "of them active"), rows)
    return f"<details><summary>{many(len(tallies), 'dyad')} without an alert</summary>\n{held}</details>\n"


def _counts(tally: Tally) -> tuple[int, int, int]:
    return tally.articles, tally.signals, tally.active


def _row(tally: Tally) -> tuple[str, ...]:
    name = f'<a href="#{safe(tally.dyad)}">{pair(tally.dyad)}</a>'
    counts = (f"{figure:,}" for figure in (tally.alerts, *_counts(tally)))
    return (name, pill(tally.level), f"{tally.peak:.1f}", *counts)


def _panel(panel: Panel, chart: str, key: Iterable[str]) -> str:
    rest = (
        f'<p class="note">{many(panel.left_out, "earlier alert")} of this dyad not shown.</p>' if panel.left_out else ""
    )
    signs = "".join(f"<span>{sign}</span>" for sign in key)
    return (
        f'<section id="{safe(panel.tally.dyad)}"><h2>{pair(panel.tally.dyad)} {pill(panel.tally.level)}</h2>\n'
        f"<figure>{chart}<figcaption>{signs}</figcaption></figure>\n"
        f"{rest}{''.join(map(_episode, panel.episodes))}</section>\n"
    )


def _episode(episode: Episode) -> str:
    """An alert: when it stood at which level, what raised it, what it rested on at its height."""
    peak = episode.peak
    texts = "".join(f"<p><b>{safe(name, 60)}</b> {safe(text)}</p>" for name, text in sorted(peak.annotations.items()))
    return (
        f'<article class="{peak.level}"><h3>{safe(peak.summary)}</h3>\n{_life(episode)}{texts}'
        f'<p class="rule">{_rule(peak)}</p>\n'
        f'<ol class="evidence">{"".join(map(_evidence, peak.evidence))}</ol></article>\n'
    )


def _life(episode: Episode) -> str:
    """The changes of level, in order; how many other updates there were."""
    changes = [alert for alert in episode.alerts if alert is episode.first or alert.level is not alert.previous_level]
    steps = [_transition(alert, year=alert is episode.first) for alert in changes]
    if len(steps) > MAX_CHANGES:
        left_out = f'<li class="more">{len(steps) - MAX_CHANGES} more</li>'
        steps = [*steps[: MAX_CHANGES - 1], left_out, steps[-1]]
    others = len(episode.alerts) - len(changes)
    notes = ["still open"] * episode.is_open + [many(others, "more update")] * bool(others)
    return f'<ul class="life">{"".join(steps)}{"".join(f"""<li class="more">{note}</li>""" for note in notes)}</ul>\n'


def _transition(alert: Alert, *, year: bool) -> str:
    muted = f' <span class="tag" title="{safe(alert.muted)}">muted</span>' if alert.muted else ""
    what = "resolved" if alert.transition is Transition.RESOLVED else pill(alert.level)
    return f"<li>{what}{muted} {moment(alert.at, year=year)} <small>{alert.score:.1f}</small></li>"


def _rule(alert: Alert) -> str:
    labels = "".join(
        f'<span class="tag">{safe(name, 60)}={safe(text, 200)}</span>' for name, text in sorted(alert.labels.items())
    )
    amounts = "".join(
        f"<span>{amount:,.0f} {safe(unit, 60)}</span>" for unit, amount in sorted(alert.magnitudes.items())
    )
    heard = f"{many(alert.sources, 'source')}, {alert.stories} {'story' if alert.stories == 1 else 'stories'}"
    rule = f"rule <b>{safe(alert.rule, 100)}</b> {safe(alert.rule_version, 20)}"
    return f"<span>{rule}</span><span>{heard}</span>{amounts}{labels}"


def _evidence(each: AlertEvidence) -> str:
    side = "calms" if each.weight < 0 else "escalates"
    told = f" and {many(each.sources - 1, 'other source')}" if each.sources > 1 else ""
    source = safe(each.source, 100) or "unknown"
    link = f'<a href="{safe(each.url)}" rel="noreferrer noopener">{source}</a>' if _is_web(each.url) else source
    kind = f"{each.event_type} × {each.modality}".replace("_", " ")  # noqa: RUF001  a product
    facts = "".join(f"<span>{fact}</span>" for fact in (kind, f"{link}{told}", moment(each.published_at)))
    return (
        f'<li class="{side}"><span class="weight">{each.weight:+.1f}</span><p>{_marked(each)}</p>'
        f'<p class="facts">{facts}</p></li>\n'
    )


def _is_web(url: str) -> bool:
    try:
        return len(url) <= MAX_URL and urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return False


def _marked(each: AlertEvidence) -> str:
    """The sentence with its trigger marked, if that lies inside."""
    start, end = each.trigger_span
    text = each.sentence
    if not 0 <= start < end <= min(len(text), MAX_TEXT):
        return safe(text)
    return f"{safe(text[:start])}<mark>{safe(text[start:end])}</mark>{safe(text[end:])}"


def _kinds(content: Content) -> str:
    """How many signals of each type in each modality."""
    if not content.kinds:
        return ""
    modalities = [each for each in Modality if any(modality is each for _, modality in content.kinds)]
    types = [each for each in EventType if any(event is each for event, _ in content.kinds)]
    rows = (
        (event.replace("_", " "), *(str(content.kinds.get((event, each), "")) for each in modalities))
        for event in types
    )
    heads = ("Signals", *(each.value for each in modalities))
    return f"<section><h2>Signals by type and modality</h2>\n{table(heads, rows, 'kinds')}</section>\n"
