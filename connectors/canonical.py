"""Canonical addresses: one article's addresses as one, and never two articles' as one.

Folded is only what is known to choose a form of a page and not the page: case, default port, fragment, order,
trackers, sessions; a mobile host, and the AMP form. Where a word such as ``amp`` could be the site's own (a shop for
amplifiers, a glossary), it is folded only beside what looks like an article. ``www.`` stays as it is written: there are
hosts where the name without it is another site, and nothing in the address tells.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote, unquote, unquote_plus, urlencode, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

_PORTS = {"http": 80, "https": 443}
# What is appended to tell where a reader came from. The prefixes cover whole families.
_TRACKER_PREFIXES = ("utm_", "mtm_", "pk_", "piwik_", "at_", "hsa_", "_hs", "mc_", "ns_", "wt_", "wt.", "oly_", "vero_")
_TRACKERS = frozenset(
    {
        "fbclid", "gclid", "dclid", "gbraid", "wbraid", "gclsrc", "msclkid", "twclid", "ttclid", "yclid", "igshid",
        "igsh", "li_fat_id", "cmpid", "cmp", "campaign_id", "icid", "ito", "intcmp", "int_cmp", "ocid", "xtor", "smid",
        "smtyp", "partner", "ftag", "ncid", "sr_share", "s_cid", "traffic_source", "feedname", "feedtype", "ref_src",
        "ref_url", "__twitter_impression", "spm", "guccounter", "guce_referrer", "guce_referrer_sig", "sh_kit", "taid",
    }
)  # fmt: skip
_SESSIONS = frozenset({"phpsessid", "jsessionid", "sessionid", "session_id", "sess_id"})
_SESSION_PREFIX = "aspsessionid"
_LEAST_SESSION = 8
_HEX_SESSION = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_PATH_SESSION = re.compile(r";(?:jsessionid|phpsessid)=[\w.!~-]{8,}", re.IGNORECASE)
_SAYS_AMP = {"amp": frozenset({"", "1", "true"}), "outputtype": frozenset({"amp"})}
_FORMS = ("amp.", "m.", "mobile.")
# Sold as domains of their own, or given to users: what is left of a host there is nobody's site.
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "or", "org", "nom", "mil"})
_SHARED = frozenset(
    {
        "blogspot.com", "wordpress.com", "substack.com", "tumblr.com", "github.io", "gitlab.io", "medium.com",
        "ghost.io", "livejournal.com", "typepad.com", "pages.dev", "netlify.app", "vercel.app", "herokuapp.com",
        "web.app", "firebaseapp.com", "wixsite.com", "weebly.com", "squarespace.com", "over-blog.com",
        "hatenablog.com", "blogspot.co.uk", "bearblog.dev", "micro.blog", "neocities.org", "workers.dev",
        "azurewebsites.net", "fly.dev",
    }
)  # fmt: skip
_CACHE = re.compile(
    r"(?:[\w-]+\.cdn\.ampproject\.org/[cv]/|(?:www\.)?google\.[a-z.]{2,6}/amp/)(s/)?([\w-]+(?:\.[\w-]+)+/.*)"
)
_LEAST_SLUG = 8
_AS_WRITTEN = "!#$%&'()*+,/:;=?@[]~|\\^`{}"
"""Beside letters and figures: all that can be printed but quotes and brackets that end an address in other texts."""
_NUMBER = re.compile(r"\d{4}")


@lru_cache(maxsize=8192)  # an entry's is asked for several times in a poll
def canonical_url(url: str) -> str:
    """``url`` as it is written once for all, whichever form of the page it leads to; empty where there is none."""
    try:
        return _clean(_folded(urlsplit(_uncached(url)))) if url else ""
    except (ValueError, UnicodeError):
        return ""


def clean_url(url: str) -> str:
    """``url`` without user, trackers and sessions, and with what no address may hold escaped; empty where it is none.

    All else stays as it is written, order, empty parameters and fragment too: it leads where ``url`` leads.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError for one that is none
        if not parts.hostname:
            return ""
        parameters = parts.query.split("&")
        kept = [each for each in parameters if not _drops(*_pair(each))]
        netloc = _ascii(parts.netloc.rpartition("@")[2])
        path = _PATH_SESSION.sub("", parts.path)
        query = "&".join(kept)
        return quote(urlunsplit((parts.scheme, netloc, path, query, parts.fragment)), safe=_AS_WRITTEN)
    except (ValueError, UnicodeError):
        return ""


def _pair(parameter: str) -> tuple[str, str]:
    key, _, value = parameter.partition("=")
    return unquote_plus(key), unquote_plus(value)


def _ascii(netloc: str) -> str:
    return netloc if netloc.isascii() else netloc.encode("idna").decode()


def feed_address(url: str) -> str:
    """``url`` of a feed as it is to be compared: the same one however case, default port and fragment are written."""
    try:
        parts = urlsplit(url)
        port = parts.port
        netloc = _host(parts) if port in {None, _PORTS.get(parts.scheme)} else f"{_host(parts)}:{port}"
        return urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, ""))
    except ValueError:
        return url


@lru_cache(maxsize=8192)
def other_form(url: str) -> str:
    """For an address of a mobile or AMP host, the canonical one on the site's ``www.``; else empty.

    Such a host tells the site, but not whether its pages are on ``site`` or on ``www.site``.
    """
    try:
        before = urlsplit(_uncached(url))
        after = _folded(before)
        if _host(before) == _host(after):
            return ""
        return _clean(after._replace(netloc=f"www.{after.netloc}"))
    except (ValueError, UnicodeError):
        return ""


def _clean(parts: SplitResult) -> str:
    host = _host(parts)
    port = parts.port
    host = f"[{host}]" if ":" in host else host
    netloc = host if port in {None, _PORTS.get(parts.scheme)} else f"{host}:{port}"
    pairs = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if not _drops(key, value)]
    path = _PATH_SESSION.sub("", parts.path) or "/"
    fragment = parts.fragment if parts.fragment.startswith("!") else ""  # a route of its own, not a place in a page
    joined = urlunsplit((parts.scheme, netloc, path, urlencode(pairs), fragment))
    return str(canonicalize_url(joined, keep_fragments=bool(fragment)))


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").rstrip(".")


def _drops(key: str, value: str) -> bool:
    """Whether a parameter tells a tracker or a session, and not which page it is."""
    name = key.lower()
    if name in _TRACKERS or name.startswith(_TRACKER_PREFIXES):
        return True
    if name in _SESSIONS or name.startswith(_SESSION_PREFIX):
        return len(value) >= _LEAST_SESSION
    if name == "source":
        return value == "rss" or value.startswith("rss-")  # any other may choose what is shown
    return name == "sid" and bool(_HEX_SESSION.fullmatch(value))  # a short one may be a story's number


def _uncached(url: str) -> str:
    """The publisher's address in one of a cache of AMP pages."""
    scheme, separator, rest = url.partition("://")
    found = _CACHE.fullmatch(rest) if separator and scheme in {"http", "https"} else None
    return f"{'https' if found[1] else 'http'}://{found[2]}" if found else url


def _folded(parts: SplitResult) -> SplitResult:
    """``parts`` on the site's own host, without what asks for AMP."""
    netloc, host = parts.netloc, _host(parts)
    form = next((form for form in _FORMS if host.startswith(form) and _is_site(host.removeprefix(form))), "")
    if form:
        port = parts.port
        netloc = host.removeprefix(form) + (f":{port}" if port else "")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(key, value) for key, value in pairs if value.lower() not in _SAYS_AMP.get(key.lower(), ())]
    query = urlencode(kept) if len(kept) < len(pairs) else parts.query
    return parts._replace(netloc=netloc, path=_without_amp(parts.path), query=query)


def _is_site(host: str) -> bool:
    """Whether ``host`` can be one publisher's: not a suffix under which names are sold, nor shared by many."""
    labels = host.split(".")
    if len(labels) < 2 or host in _SHARED or not labels[-1].isalpha():  # noqa: PLR2004  # a name and a top level
        return False
    sold = len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SECOND_LEVEL  # noqa: PLR2004  # such as co.uk
    return not sold


def _without_amp(path: str) -> str:
    """``path`` without ``/amp`` at its end, ``/amp/`` at its begin and ``.amp.html``, where an article is beside it."""
    for ending, instead in (("/amp/", "/"), ("/amp", ""), (".amp.html", ".html")):
        if path.lower().endswith(ending):
            shorter = path[: -len(ending)] + instead
            return shorter if _is_article(shorter) else path
    if path.lower().startswith("/amp/") and _is_article(path[4:]):
        return path[4:]
    return path


def _is_article(path: str) -> bool:
    """Whether ``path`` is like an article's: it ends in words with hyphens or in a number, or has a long number."""
    last = unquote(path.rstrip("/").rpartition("/")[2])
    words = "-" in last.strip("-") and len(last) >= _LEAST_SLUG
    return words or last.isdecimal() or bool(_NUMBER.search(path))
