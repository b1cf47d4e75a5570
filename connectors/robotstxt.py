"""Group: of a robots.txt the lines that concern one robot. Decisions only.

Protego stores every rule of a group once for each robot that the group names: a short file may so ask for gigabytes. It
judges what is left here, in which all rules are of one robot.
"""

from __future__ import annotations

from collections.abc import Iterator

_AGENT = frozenset({"user-agent", "useragent", "user agent"})
_OF_THE_SITE = frozenset({"sitemap", "sitemaps", "site-map", "host"})
_RULES = frozenset({
    "disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw", "allow", "crawl-delay", "crawl delay",
    "request-rate", "request rate", "visit-time", "visit time",
})  # fmt: skip
_KNOWN = _AGENT | _OF_THE_SITE | _RULES
"""The fields in the spellings that Protego takes."""


def group(text: str, robot: str) -> list[str]:
    """The lines of ``text`` that ``robot``, a single word, is to heed, as a robots.txt of their own; none: no rules.

    Which those are is Protego's choice: of the groups whose name ``robot`` begins with the longest name, else those of
    all (``*``); groups of one name are one, wherever they stand.
    """
    word = robot.lower()
    parsed = list(_parsed(text))
    names = dict.fromkeys(name for field, value, _ in parsed if field in _AGENT and (name := _name(value, word)))
    if not names:
        return []
    chosen = max(names, key=len)  # the first of the longest, and ``*`` counts as one letter
    return [f"User-agent: {chosen}", *_rules(parsed, chosen, word)]


def _rules(parsed: list[tuple[str, str, str]], chosen: str, word: str) -> Iterator[str]:
    """The rules of each group that is named ``chosen``; a name after a rule begins another group."""
    ours, naming = False, True
    for field, value, line in parsed:
        if field in _AGENT:
            ours = (ours and naming) or _name(value, word) == chosen
            naming = True
        elif field not in _OF_THE_SITE:
            naming = False
            if ours and value and field in _RULES:
                yield line


def _name(value: str, word: str) -> str:
    """The name that ``value`` gives a group, if it is of ``word``, else empty; asterisks in a name don't count."""
    name = value.lower()
    if name == "*":
        return name
    name = name.replace("*", "")
    return name if word.startswith(name) else ""


def _parsed(text: str) -> Iterator[tuple[str, str, str]]:
    """Field, value and the line itself, for each line that has a field."""
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        if line and (found := _directive(line)):
            yield (*found, line)


def _directive(line: str) -> tuple[str, str] | None:
    """Field and value of a line, as Protego reads it: ``field: value``, or a known field and value without colon."""
    field, colon, value = line.partition(":")
    field = field.strip().lower()
    if colon and (field in _KNOWN or not value or value[0].isspace()):
        return field, value.strip()
    words = line.split(maxsplit=2)
    for count in (1, 2):
        named = " ".join(words[:count]).lower()
        if named in _KNOWN:
            return named, " ".join(words[count:])
    return (field, value.strip()) if colon else None
