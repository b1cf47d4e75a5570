"""Recognition: which known article an entry is, by address, guid and content. Decisions only.

An address is the best mark: guids are made up anew at each poll by some publishers, count places in the feed at others.
But an address changes where a title is edited and the slug with it. So a guid that led to another article before is
believed only where the content bears it out, and where that article is not in the feed beside it.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from config.feeds import Feed
from connectors import identity
from connectors.aliases import ELSEWHERE, Alias
from connectors.canonical import canonical_url, other_form
from connectors.entry import Entry
from connectors.plaintext import counted
from connectors.store import Seen

LONG_TEXT = 200
SOME_TEXT = 40
LONG_TITLE = 20
LONG_GUID = 6
_DAY_S = 86_400
_QUARTER_S = 900
"""Every zone's midnight is on a quarter of an hour in UTC: a time there may be a day alone."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the store knows of a feed's entries: aliases by mark, articles by id."""

    aliases: Mapping[str, Alias] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)


def own_id(feed: Feed, entry: Entry, *, apart: bool = False) -> str:
    """The article id that the entry has by itself; one that is ``apart`` has it by its guid alone."""
    url = "" if apart else canonical_url(entry.url)
    return identity.article_id(url, feed.id, entry.guid, entry.title, entry.text)


def apart(entries: Iterable[Entry], aliases: Mapping[str, Alias] | None = None) -> frozenset[str]:
    """The guids of entries that share their address with others, and are articles of their own all the same.

    Some feeds link all that they show to one page, the posts of a day or of a live blog. An entry is told from the
    others there by all that it has: guid, time of publication, text, and title if it has one. One that stands alone, as
    pushed ones do, is told by guid and time where the ``aliases`` say that its page was shared in this feed before.
    """
    pages: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if identity.has_article(url := canonical_url(entry.url)):
            pages[url].append(entry)
    known = aliases or {}
    shared = [page for url, page in pages.items() if len(page) > 1 or _page_mark(url) in known]
    return frozenset(guid for page in shared for guid in _apart(page))


def page_mark(entry: Entry) -> str:
    """By what it is remembered that the page of ``entry`` is shared by articles; empty where it has no address."""
    url = canonical_url(entry.url)
    return _page_mark(url) if identity.has_article(url) else ""


def _page_mark(url: str) -> str:
    return _digest("page", url)


def _apart(page: list[Entry]) -> Iterable[str]:
    guids, times = Counter(entry.guid for entry in page), Counter(entry.published for entry in page)
    texts, titles = Counter(entry.text for entry in page), Counter(entry.title for entry in page)
    for entry in page:
        named = entry.guid and entry.published and guids[entry.guid] == times[entry.published] == 1
        worded = (not entry.text or texts[entry.text] == 1) and (not entry.title or titles[entry.title] == 1)
        if named and worded:
            yield entry.guid


def other_id(entry: Entry) -> str:
    """The id of an entry on a mobile or AMP host where its site is on ``www.``; else empty."""
    url = other_form(entry.url)
    return identity.article_id(url, "", "", "") if url and identity.has_article(url) else ""


def marks(entry: Entry) -> tuple[str, ...]:
    """By what the entry may be known beside its address."""
    return tuple(mark for mark in (_guid_mark(entry), _content_mark(entry)) if mark)


def all_marks(entries: Iterable[Entry]) -> list[str]:
    """The marks of every entry and its page, each once."""
    found = (mark for entry in entries for mark in (*marks(entry), page_mark(entry)) if mark)
    return list(dict.fromkeys(found))


def ids(feed: Feed, entries: Iterable[Entry], aliases: Mapping[str, Alias]) -> list[str]:
    """Every article id that some entry may have."""
    found: dict[str, None] = {}
    entries = list(entries)
    shared = apart(entries, aliases)
    for entry in entries:
        candidates = (own_id(feed, entry, apart=entry.guid in shared), own_id(feed, entry), other_id(entry))
        known = (aliases[mark].article_id for mark in marks(entry) if mark in aliases)
        found.update(dict.fromkeys(each for each in (*candidates, *known) if each))
    return list(found)


def identify(feed: Feed, entries: Iterable[Entry], memory: Memory | None = None) -> dict[str, Entry]:
    """Entries by article id. The first of one identity counts: two that share it would forever update each other."""
    entries = list(entries)
    recognise = _Recognition(feed, entries, memory or Memory())
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(recognise.id_of(entry), entry)
    return found


def repeated(entries: int, identified: Mapping[str, Entry]) -> str:
    """What is to be said of entries that were left out because others have their identity; empty where none were."""
    left = entries - len(identified)
    if not left:
        return ""
    return f"{counted(left, 'entry', 'entries')} left out: one with the same address or guid stands above"


def elsewhere_mark(article_id: str) -> str:
    """By what a feed remembers that it shows an article which another feed brought."""
    return ELSEWHERE + article_id[:20]


def unfamiliar(feed: Feed, identified: Mapping[str, Entry], memory: Memory) -> list[str]:
    """The ids of entries which another feed brought, and of which this one does not remember its own name for them.

    To be remembered once: then ``elsewhere_mark`` is known, also of one that has another guid at every poll.
    """
    found = []
    for article_id, entry in identified.items():
        if (row := memory.seen.get(article_id)) and row.feed != feed.id:
            known = memory.aliases.get(next(iter(marks(entry)), ""))
            familiar = known is not None and known.article_id == article_id
            if not familiar and elsewhere_mark(article_id) not in memory.aliases:
                found.append(article_id)
    return found


def to_remember(feed: Feed, identified: Mapping[str, Entry], wanted: Iterable[str], now: float) -> Iterable[Alias]:
    """The aliases of those of the ``identified`` entries whose id is ``wanted``; a guid of two entries is none."""
    borne = Counter(_guid_mark(entry) for entry in identified.values())
    for article_id in wanted:
        entry = identified[article_id]
        for mark in marks(entry):
            if borne[mark] <= 1:
                yield Alias(feed.id, mark, article_id, _short(entry.title), _text(entry), _published(entry), now)


class _Recognition:
    """Tells the ids of one read of a feed."""

    def __init__(self, feed: Feed, entries: list[Entry], memory: Memory) -> None:
        self._feed = feed
        self._memory = memory
        self._apart = apart(entries, memory.aliases)
        self._shown = Counter(self._own(entry) for entry in entries)
        self._guids = Counter(_guid_mark(entry) for entry in entries)
        self._times = Counter(_published(entry) for entry in entries)
        self._timed = any(at % _QUARTER_S for at in self._times)

    def _own(self, entry: Entry) -> str:
        return own_id(self._feed, entry, apart=entry.guid in self._apart)

    def id_of(self, entry: Entry) -> str:
        """By guid, where the content agrees; by address, the site's other host among them; by content alone."""
        own, other = self._own(entry), other_id(entry)
        by_guid = self._elsewhere(_guid_mark(entry), own)
        if by_guid and self._is_by_guid(by_guid, entry, own):
            return by_guid.article_id
        if own in self._memory.seen:
            return own
        if other in self._memory.seen:
            return other
        by_content = self._elsewhere(_content_mark(entry), own)
        return by_content.article_id if by_content else own

    def _is_by_guid(self, alias: Alias, entry: Entry, own: str) -> bool:
        if self._guids[alias.mark] > 1 or self._was_sent_as(own, entry, alias):
            return False
        published = _published(entry)
        was_the_page = alias.article_id == own_id(self._feed, entry)  # it stood there alone when it was sent
        on_page = was_the_page and alias.published == published > 0
        return on_page or is_same(alias, entry, moment=self._is_moment(published))

    def _was_sent_as(self, own: str, entry: Entry, alias: Alias) -> bool:
        """Whether ``entry``, as it is, was sent under its own address.

        That this is known does not say so: a slug that followed a title is known, too, and is the article's of
        ``alias``, with the same words.
        """
        seen = self._memory.seen
        if own not in seen:
            return False
        if by_content := self._memory.aliases.get(_content_mark(entry)):
            return by_content.article_id == own
        words = identity.content_hash(entry.title, entry.text)
        there = seen.get(alias.article_id)
        return seen[own].content_hash == words and (there is None or there.content_hash != words)

    def _is_moment(self, published: float) -> bool:
        """Whether a time is that of one entry; on a quarter of an hour only in a feed that has finer ones, too."""
        return bool(published % _QUARTER_S) or (self._timed and self._times[published] == 1)

    def _elsewhere(self, mark: str, own: str) -> Alias | None:
        """The alias of ``mark`` where it leads to an article that no entry of this read is by itself."""
        alias = self._memory.aliases.get(mark)
        return alias if alias and alias.article_id != own and not self._shown[alias.article_id] else None


def is_same(alias: Alias, entry: Entry, *, moment: bool = True) -> bool:
    """Whether an entry with the guid of ``alias`` and another address is the same article.

    The time at which it says it was published decides, if it is a ``moment`` and the guid is long enough to be none
    that counts places; else the title or the text has to agree with it. Where no such time is said, the text decides,
    which has to be long enough not to be a phrase that stands under every entry; where the time is another, it has to
    be longer. A title alone counts only where there is nothing else: every morning has its briefing.
    """
    published = _published(entry)
    text, title = _text(entry), _short(entry.title)
    if alias.published and alias.published == published:
        named = moment and len(entry.guid) >= LONG_GUID
        titled = title == alias.title and (moment or len(entry.title) >= LONG_TITLE)
        return named or titled or bool(text and text == alias.text)
    redated = bool(alias.published and published)
    if text and text == alias.text:
        titled = title == alias.title and not redated
        told = len(entry.text) >= SOME_TEXT or len(entry.guid) >= LONG_GUID
        return titled or len(entry.text) >= LONG_TEXT or (told and not redated)
    bare = not text and not alias.text and not redated
    return bare and title == alias.title and len(entry.title) >= LONG_TITLE and len(entry.guid) >= LONG_GUID


def rename_mark(article_id: str) -> str:
    """By what it is found under which id an entry was sent whose feed gives it this one."""
    return _digest("renamed", article_id)


def told(article_id: str, feed: str, title: str, text: str, now: float) -> Alias:
    """What an article that is known by no entry's own id says, for ``tells_of``."""
    return Alias(feed, _digest("told", article_id), article_id, _short(title), _short(text) if text else "", 0.0, now)


def tells_of(alias: Alias, title: str, text: str) -> bool:
    """Whether an entry of another feed, with this title and text, is likely the one that ``alias`` is of.

    That the two claim one page is known already. The same title will do, or the same text, if they are no phrase.
    """
    titled = len(title) >= LONG_TITLE and alias.title == _short(title)
    return titled or (len(text) >= SOME_TEXT and alias.text == _short(text))


def _guid_mark(entry: Entry) -> str:
    return _digest("guid", entry.guid) if entry.guid else ""


def _content_mark(entry: Entry) -> str:
    """Digest of words and time; with an address of its own, only where both tell one article from others.

    Of an entry that has neither address nor guid the text will do, where it and the time can: a title may be edited.
    """
    telling = bool(_published(entry)) and len(entry.text) >= SOME_TEXT
    addressed = identity.has_article(canonical_url(entry.url))
    if addressed and not telling:
        return ""
    title = "" if telling and not addressed and not entry.guid else entry.title
    return _digest("content", title, entry.text, str(entry.published))


def _text(entry: Entry) -> str:
    return _short(entry.text) if entry.text else ""


def _published(entry: Entry) -> float:
    """When it says it was published (Unix seconds); 0 where it does not, or says the day only, as midnight."""
    at = entry.published.timestamp() if entry.published else 0.0
    return at if at % _DAY_S else 0.0


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", errors="replace")).hexdigest()[:20]


def _short(text: str) -> str:
    """Enough to tell two forms of one entry, whose guid agrees already."""
    return _digest(text)[:8]
