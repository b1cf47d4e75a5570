"""Page: explanations as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from pipeline.explain.facts import facts, headline, how
from pipeline.explain.marks import NAMED, RANK, Role, pieces, visible
from pipeline.extraction.engine import UNDATED
from pipeline.extraction.sentences import MAX_SENTENCE, MAX_TEXT

if TYPE_CHECKING:
    from pipeline.explain.marks import Piece
    from pipeline.explain.reasons import Explained, Passage
    from pipeline.records import Article, Party, Signal

SAFE = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may do with the page: show it in its own style."""
_BESIDE = {"who", "confidence"}
"""Facts that the card draws rather than writes."""


def head() -> str:
    """The page as far as its first article."""
    style = files("pipeline.explain").joinpath("page.css").read_text(encoding="utf-8")
    roles = [(role.value, role.value) for role in Role]
    roles.insert(1, (f"{Role.TRIGGER} off", "does not count"))
    legend = "".join(f'<li><span class="{style}">{words}</span></li>' for style, words in roles)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{SAFE}">\n'
        f"<title>Brinkwatch: what was found</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        "<header><h1>Brinkwatch</h1><p>What each article says, in what way, and why.</p>\n"
        f'<ul class="legend">{legend}</ul></header>\n<main>\n'
    )


def foot(shown: int, left_out: int = 0) -> str:
    """The page's end: how many articles it has, and how many it does not."""
    rest = f"; {left_out} more were read and are not shown" if left_out else ""
    return f"</main>\n<footer>{shown} article{'' if shown == 1 else 's'}{rest}</footer>\n</body>\n</html>\n"


def article(explained: Explained, name: str, number: int) -> str:
    """One article: its text with its words marked, a card for each signal, and why the rest is silent.

    Args:
        explained: The article.
        name: What to call it where it has no title.
        number: Its place on the page, from 1: part of the anchors of its cards.
    """
    signals = [signal for passage in explained.passages for signal in passage.signals]
    numbers = {signal.signal_id: place for place, signal in enumerate(signals, 1)}
    cards = "".join(_card(signal, numbers[signal.signal_id], number) for signal in signals)
    note = f'<p class="note">{_safe(explained.note)}</p>\n' if explained.note else ""
    return (
        f'<article id="a{number}">\n{_about(explained.article, name, len(signals))}{note}'
        f"{_text(explained, numbers, number)}"
        f'{f"""<div class="cards">{cards}</div>""" if cards else ""}\n{_rest(explained.passages)}</article>\n'
    )


def _safe(text: str) -> str:
    return escape(visible(text))


def _about(item: Article, name: str, signals: int) -> str:
    when = "" if item.published_at == UNDATED else f"<time>{item.published_at:%-d %B %Y}</time>"
    source = f"<span>{_safe(item.source)}</span>" if item.source else ""
    told = f"<span>{signals} signal{'' if signals == 1 else 's'}</span>"
    return f"<header><span>{_safe(name)}</span>{source}{when}{told}</header>\n"


def _text(explained: Explained, numbers: Mapping[str, int], number: int) -> str:
    title = _part(explained, "title", explained.article.title[:MAX_SENTENCE], numbers, number)
    text = _part(explained, "text", explained.article.text[:MAX_TEXT], numbers, number)
    body = f'<p class="body">{text}</p>\n'.replace('<p class="body"></p>', "") if text else ""
    return (f'<h2 class="title">{title}</h2>\n' if title else "") + body


def _part(explained: Explained, part: str, whole: str, numbers: Mapping[str, int], number: int) -> str:
    """Title or text: its sentences in pieces, and what stands between them as it is."""
    out: list[str] = []
    done = 0
    for passage in (p for p in explained.passages if p.sentence.part == part):
        sentence = passage.sentence
        out.append(_between(whole[done : sentence.start]))
        out += [_piece(piece, numbers, number) for piece in pieces(sentence, passage.signals, numbers)]
        done = sentence.end
    return "".join(out) + _between(whole[done:])


def _between(text: str) -> str:
    """What stands between sentences: where a line ends there, so does a paragraph."""
    return '</p>\n<p class="body">'.join(_safe(line) for line in re.split(r"\n+", text))


def _piece(piece: Piece, numbers: Mapping[str, int], number: int) -> str:
    mark, text = piece.mark, escape(piece.text)
    if mark is None:
        return text
    label = f"<b>{escape(mark.label)}</b>" if piece.first and mark.role in NAMED and mark.label else ""
    off = " off" if mark.role is Role.TRIGGER and not mark.active else ""
    if mark.signal in numbers:
        text, label = f'<a href="#a{number}s{numbers[mark.signal]}">{text}{label}</a>', ""
    said = f' title="{mark.role}"' if RANK[mark.role] > RANK[Role.TRIGGER] else ""
    return f'<mark class="{mark.role}{off}"{said}>{text}{label}</mark>'


def _card(signal: Signal, place: int, number: int) -> str:
    side = "off" if not signal.active else "calms" if signal.severity.score < 0 else "escalates"
    score = f"{signal.severity.score:+.1f}" if signal.active else "does not count"
    rows = "".join(
        f"<dt>{label}</dt><dd>{escape(value)}</dd>" for label, value in facts(signal) if label not in _BESIDE
    )
    return (
        f'<section class="{side}" id="a{number}s{place}"><h3><a class="n" href="#a{number}">{place}</a>'
        f'<span>{escape(headline(signal))}</span><span class="score">{score}</span></h3>\n'
        f'<p class="parties">{_chips(signal.actors, Role.ACTOR)}<i>→</i>'
        f"{_chips(signal.recipients, Role.RECIPIENT)}</p>\n"
        f"<dl>{rows}<dt>confidence</dt><dd>{_confidence(signal)}</dd></dl></section>\n"
    )


def _confidence(signal: Signal) -> str:
    value = f"{signal.confidence:.2f}"
    return f'<span class="bar"><i style="width:{signal.confidence:.0%}"></i></span>{value}'


def _chips(parties: Sequence[Party], role: Role) -> str:
    chips = (
        f'<span class="chip {role}">{_safe(p.text)} <b>{_safe(p.code)}</b> <small>{escape(how(p))}</small></span>'
        for p in parties
    )
    return "".join(chips) or "<i>nobody named</i>"


def _rest(passages: Sequence[Passage]) -> str:
    """Why the other sentences gave nothing, folded away."""
    lines = list(_silent(passages))
    if not lines:
        return ""
    label = f"Why {len(lines)} sentence{' gave' if len(lines) == 1 else 's gave'} nothing"
    return f"<details><summary>{label}</summary><ol>{''.join(lines)}</ol></details>\n"


def _silent(passages: Sequence[Passage]) -> Iterator[str]:
    for passage in passages:
        if not passage.signals:
            yield f"<li><em>{_safe(passage.why)}</em>: {_safe(passage.sentence.text)}</li>"
