"""The dashboard *Ingestion*: whether news comes in, and how it goes with the feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.charts import Style, density, lines
from deploy.grafana.figures import Look, figure
from deploy.grafana.frame import Row, framed
from deploy.grafana.palette import BAD, ENTRIES, FEED_STATES, GOOD, MUTED, NEUTRAL, POOR, QUANTILES
from deploy.grafana.panels import Query, Ready, Size, Text
from deploy.grafana.queries import YES_NO, age, buckets, hourly, most_frequent, quantile, quantiles, rate, ratio

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard

FETCHES = "brinkwatch_connect_fetches_total"
ARTICLES = "brinkwatch_connect_articles_total"
FRESHNESS = "brinkwatch_connect_published_to_fetched_seconds"
OF_FEEDS = 'kind!="page"'
GOOD_ENDS = 'outcome=~"ok|not_modified"'
BAD_ENDS = 'outcome!~"ok|not_modified"'
THIRD = Size(8, 8)
A_MINUTE = "suffix:/min"
AGE = Look(((1800, POOR), (7200, BAD)), GOOD, graph=False, decimals=0)


def _now() -> Row:
    return Row("Now", [_kafka_answers(), _feeds(), _last_success(), _last_article(), _failing_share(), _in_flight()])


def _kafka_answers() -> Ready:
    text = Text(
        "Kafka answers",
        "Whether the broker takes what connect sends. While it does not, nothing is fetched, and nothing is lost.",
        "yes.",
        "see whether the broker runs: dashboard Kafka and runner.",
        runbook="BrinkwatchKafkaUnreachable",
    )
    return figure(
        text,
        [Query('min(brinkwatch_kafka_up{process="connect"})')],
        unit="none",
        look=Look(meanings=YES_NO, graph=False),
    )


def _feeds() -> Ready:
    text = Text(
        "Feeds",
        "Feeds by how they stand. Stopped: the publisher asked to stop. Waiting: not polled yet.",
        "ok, all but one or two.",
        "`brinkwatch connect --once` says for each feed what is wrong.",
        runbook="BrinkwatchFeedsFailing",
    )
    return figure(
        text,
        [Query(f'sum(brinkwatch_connect_feeds{{state="{state}"}})', state) for state in FEED_STATES],
        unit="none",
        size=Size(9, 4),
        look=Look(colours=FEED_STATES, graph=False),
    )


def _last_success() -> Ready:
    text = Text(
        "Last success",
        "Time since a feed last answered as one.",
        "shorter than the shortest interval of your feeds.",
        "does this machine reach the internet at all?",
        runbook="BrinkwatchFeedsLost",
    )
    return figure(text, [Query(age("brinkwatch_connect_last_success_timestamp_seconds"))], unit="s", look=AGE)


def _last_article() -> Ready:
    text = Text(
        "Last article",
        "Time since an article was last acknowledged by the broker.",
        "minutes; at night and with few feeds, more.",
        "feeds that answer and bring nothing for hours are stale, or changed their address.",
        runbook="BrinkwatchNoArticles",
    )
    return figure(text, [Query(age("brinkwatch_connect_last_article_timestamp_seconds"))], unit="s", look=AGE)


def _failing_share() -> Ready:
    text = Text(
        "Polls that fail",
        "Share of the polls of the last quarter of an hour that brought no feed.",
        "below 5 %.",
        "the chart of failures says how they fail.",
        runbook="BrinkwatchFetchErrors",
    )
    share = f"sum(rate({FETCHES}{{{OF_FEEDS},{BAD_ENDS}}}[15m])) / sum(rate({FETCHES}{{{OF_FEEDS}}}[15m]))"
    return figure(text, [Query(share)], unit="percentunit", look=Look(((0.05, POOR), (0.25, BAD)), GOOD, decimals=1))


def _in_flight() -> Ready:
    text = Text(
        "In flight",
        "Articles that were sent and are not acknowledged yet.",
        "0 to a few.",
        "a number that grows is a broker that is slow or gone.",
        runbook="BrinkwatchUnacknowledgedArticles",
    )
    return figure(
        text,
        [Query("sum(brinkwatch_connect_unacknowledged_articles)")],
        unit="none",
        look=Look(((200, POOR), (1000, BAD)), GOOD, decimals=0),
    )


def _polls() -> Row:
    return Row(
        "Polls: rate, errors, duration",
        [_polls_begun(), _polls_that_fail(), _poll_time(), _polls_that_go_well(), _poll_delay(), _bytes_fetched()],
    )


def _polls_begun() -> Ready:
    text = Text(
        "Polls begun, by kind",
        "Polls begun a minute, of feeds and what else is polled.",
        "a steady line: so many feeds over their intervals.",
        "a drop to nothing while Kafka answers is a defect, or a list of feeds without feeds.",
        runbook="BrinkwatchPollsLate",
    )
    return lines(
        text,
        [Query(f"60 * {rate('brinkwatch_connect_fetch_attempts_total', 'kind')}", "{{kind}}")],
        unit=A_MINUTE,
        size=THIRD,
        style=Style(fill=15),
    )


def _polls_that_fail() -> Ready:
    text = Text(
        "Polls that fail, by outcome",
        "Polls a minute that brought no feed, by how they ended.",
        "near nothing.",
        "dns, connect and tls in many feeds: the network here. rate_limited: poll less often. gone: mend the address.",
        runbook="BrinkwatchFetchErrors",
    )
    worst = most_frequent(FETCHES, 3, "kind", "outcome", where=BAD_ENDS, a_minute=True)
    return lines(
        text,
        [Query(worst, "{{what}}")],
        unit=A_MINUTE,
        size=THIRD,
        style=Style(colours={"all": MUTED}, maximum=1),
    )


def _poll_time() -> Ready:
    text = Text(
        "Time of a poll",
        "Time of one fetch, redirects and body included.",
        "half below a second.",
        "one slow publisher is cut off by its time-out; if all are slow, look at this machine and its network.",
    )
    return lines(
        text,
        [
            Query(quantile(share, "brinkwatch_connect_fetch_seconds", "kind"), f"{{{{kind}}}} {name}")
            for share, name in ((0.5, "half"), (0.95, "95 %"))
        ],
        unit="s",
        size=THIRD,
        steps=((20, BAD),),
    )


def _polls_that_go_well() -> Ready:
    text = Text(
        "Polls by outcome",
        "Polls a minute that went well. not_modified: the publisher says that nothing is new, at no cost.",
        "more not_modified than ok.",
        "feeds that never answer not_modified send their whole document each time.",
    )
    return lines(
        text,
        [Query(f"60 * {rate(FETCHES, 'outcome', where=GOOD_ENDS)}", "{{outcome}}")],
        unit=A_MINUTE,
        size=THIRD,
        style=Style(stacked=True, colours={"ok": GOOD, "not_modified": NEUTRAL}),
    )


def _poll_delay() -> Ready:
    text = Text(
        "Polls are late by",
        "How long after it was due a poll began.",
        "below a few seconds.",
        "too many slow feeds for the polls that may run at once, or a machine that is too busy.",
        runbook="BrinkwatchPollsLate",
    )
    return lines(
        text,
        quantiles("brinkwatch_connect_poll_delay_seconds"),
        unit="s",
        size=THIRD,
        style=Style(colours=QUANTILES),
    )


def _bytes_fetched() -> Ready:
    text = Text(
        "Bytes fetched",
        "Bytes a second of bodies, as they came over the wire.",
        "steady.",
        "a jump is a feed that grew, or one that stopped answering not_modified.",
    )
    return lines(
        text,
        [Query(rate("brinkwatch_connect_fetched_bytes_total", "kind"), "{{kind}}")],
        unit="Bps",
        size=THIRD,
        style=Style(fill=15),
    )


def _articles() -> Row:
    return Row(
        "Feeds and articles", [_feeds_by_state(), _entries(), _new_among_all(), _freshness(), _freshness_quantiles()]
    )


def _feeds_by_state() -> Ready:
    text = Text(
        "Feeds by state",
        "Feeds at each moment, by how they stand.",
        "flat.",
        "many that fail at once are a network; one after the other, publishers.",
        runbook="BrinkwatchFeedsFailing",
    )
    return lines(
        text,
        [Query("sum by (state) (brinkwatch_connect_feeds)", "{{state}}")],
        unit="none",
        size=THIRD,
        style=Style(stacked=True, stepped=True, colours=FEED_STATES, decimals=0),
    )


def _entries() -> Ready:
    text = Text(
        "Articles",
        "Entries of feeds an hour that were not known already. updated: sent again, for its title or text has changed.",
        "a tide: more by day than by night.",
        "new ones only in bursts are long intervals; none at all, see Last article.",
        runbook="BrinkwatchNoArticles",
    )
    return lines(
        text,
        [Query(hourly(ARTICLES, "outcome", where='outcome!="seen"'), "{{outcome}}")],
        unit="suffix:/h",
        size=THIRD,
        style=Style(stacked=True, colours=ENTRIES, decimals=0),
    )


def _new_among_all() -> Ready:
    text = Text(
        "New among all entries",
        "Share of the entries in fetched feeds that were new.",
        "a few per cent: feeds show their last dozens again and again.",
        "near 0: the intervals may be longer. Above a third: shorter, or news falls out of a feed unseen.",
    )
    share = ratio(ARTICLES, ARTICLES, part_where='outcome="new"')
    return lines(
        text,
        [Query(share, "new")],
        unit="percentunit",
        size=THIRD,
        style=Style(fill=15, colours={"new": GOOD}),
    )


def _freshness() -> Ready:
    text = Text(
        "Published to fetched",
        "How old articles were when they were found; those sent for the first time, first polls of a feed left out.",
        "most within a feed's interval.",
        "the whole band higher than the intervals: publishers who stamp early, or polls that are late.",
    )
    return density(text, buckets(FRESHNESS), unit="s", size=Size(16, 9))


def _freshness_quantiles() -> Ready:
    text = Text(
        "Published to fetched, quantiles",
        "Half of the articles were younger than the first line, 95 % younger than the second.",
        "half within minutes.",
        "shorten the interval of the feeds that matter most.",
    )
    return lines(text, quantiles(FRESHNESS)[:2], unit="s", size=Size(8, 9), style=Style(colours=QUANTILES))


def ingestion() -> dashboard.Dashboard:
    """The dashboard."""
    return framed(
        "ingestion",
        "Ingestion",
        "Whether news comes in: polls, feeds, articles, and how fresh they are.",
        rows=[_now(), _polls(), _articles()],
    )
