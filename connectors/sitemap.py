"""News sitemaps to entries. Source: https://www.sitemaps.org/protocol.html and Google's schema sitemap-news/0.9."""

from __future__ import annotations

from collections.abc import Mapping

from connectors import xmlevents
from connectors.entry import MAX_ENTRIES, MAX_ID, Entry, Parsed
from connectors.links import absolute
from connectors.outcome import Outcome
from connectors.plaintext import counted, one_line, tidy
from connectors.times import any_moment
from connectors.xmlevents import XmlError

ROOTS = frozenset({"urlset", "sitemapindex"})
NAMED = 3
_PREFIX = ("urlset", "url")
_LANGUAGES = {"zh-cn": "zh", "zh-tw": "zh"}


def parse(text: str, url: str) -> Parsed:
    """The news of a sitemap at ``url``: each address that has a block ``news:news`` with a title.

    An index of sitemaps is no feed, and is not followed: it lists the archive of a whole site, month by month, and
    which of its maps holds the news only the publisher's names tell. The error names the first of them.
    """
    index = xmlevents.root_of(text) == "sitemapindex"
    reader = _Index() if index else _Urls(url)
    error = ""
    try:
        xmlevents.read(text, reader)
    except XmlError as failure:
        error = str(failure)[:200]
    if isinstance(reader, _Index):
        return _index(reader)
    if error and not reader.entries:
        return Parsed(outcome=Outcome.NOT_A_FEED, kind="sitemap", error=error)
    return Parsed(
        outcome=Outcome.OK,
        kind="sitemap",
        title=reader.title,
        entries=tuple(reader.entries),
        warnings=_warnings(reader, error),
    )


def _index(reader: _Index) -> Parsed:
    named = ", ".join(reader.maps[:NAMED])
    error = f"an index of {reader.count} sitemaps, which is not followed; name the one that holds the news: {named}"
    return Parsed(outcome=Outcome.NOT_A_FEED, kind="sitemapindex", error=error[:1000])


def _warnings(reader: _Urls, error: str) -> tuple[str, ...]:
    found = [
        error,
        f"{counted(reader.other, 'address', 'addresses')} without news" if reader.other else "",
        f"only {MAX_ENTRIES} of {MAX_ENTRIES + reader.beyond} entries read" if reader.beyond else "",
    ]
    return tuple(warning for warning in found if warning)


class _Index:
    """The addresses that an index lists."""

    def __init__(self) -> None:
        self.count = 0
        self.maps: list[str] = []

    def start(self, path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
        """Nothing: only texts count."""

    def end(self, path: tuple[str, ...], text: str) -> None:
        """Keep the first addresses, and count them all."""
        if path == ("sitemapindex", "sitemap", "loc"):
            self.count += 1
            if self.count <= NAMED:
                self.maps.append(one_line(text, 300))


class _Urls:
    """The entries of a ``urlset``.

    Which element is meant is told by where it stands, not by its prefix: ``image:title`` stands elsewhere than
    ``news:title``, and prefixes are free to choose.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._fields: dict[str, str] = {}
        self.title = ""
        self.entries: list[Entry] = []
        self.other = 0
        self.beyond = 0

    def start(self, path: tuple[str, ...], attributes: Mapping[str, str]) -> None:  # noqa: ARG002  # the handler's shape
        """A new ``url`` has nothing of the one before."""
        if path == _PREFIX:
            self._fields = {}

    def end(self, path: tuple[str, ...], text: str) -> None:
        """Keep what a field says; with the end of its ``url``, the entry."""
        if path[:2] != _PREFIX:
            return
        if len(path) > len(_PREFIX):
            self._fields.setdefault("/".join(path[2:]), text)
            return
        self._close()

    def _close(self) -> None:
        entry = self._entry()
        if entry is None:
            self.other += 1
        elif len(self.entries) >= MAX_ENTRIES:
            self.beyond += 1
        else:
            self.entries.append(entry)
            self.title = self.title or one_line(self._fields.get("news/publication/name", ""))

    def _entry(self) -> Entry | None:
        title = one_line(self._fields.get("news/title", ""))
        url = absolute(self._fields.get("loc", ""), self._url) if self._fields.get("loc", "").strip() else ""
        if not title or not url:
            return None
        language = tidy(self._fields.get("news/publication/language", ""), 32).lower()
        return Entry(
            guid=tidy(self._fields.get("loc", ""), MAX_ID),
            url=url,
            title=title,
            text="",
            published=any_moment(self._fields.get("news/publication_date", "")),
            updated=any_moment(self._fields.get("lastmod", "")),
            language=_LANGUAGES.get(language, language),
        )
