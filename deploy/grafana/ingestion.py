"""The dashboard *Ingestion*: whether news comes in, and how it goes with the feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.charts import Style, density, lines
from deploy.grafana.figures import Look, figure
from deploy.grafana.frame import Row, framed
from deploy.grafana.palette import BAD, ENTRIES, FEED_STATES, GOOD, MUTED, NEUTRAL, POOR, QUANTILES
from deploy.grafana.panels import Query, Size, Text
from deploy.grafana.queries import YES_NO, age, buckets, hourly, most_frequent, quantile, quantiles, rate, ratio

if TYPE_CHECKING:
    from grafana_foundation_sdk.models import dashboard

FETCHES = "brinkwatch_connect_fetches_total"
GOOD_ENDS = 'outcome=~"ok|not_modified"'
BAD_ENDS = 'outcome!~"ok|not_modified"'


def _now() -> Row:
    kafka = Text(
        "Kafka answers",
        "Whether the broker takes what connect sends. While it does not, nothing is fetched, and nothing is lost.",
        "yes.",
        "see whether the broker runs: dashboard Kafka and runner.",
        runbook="BrinkwatchKafkaUnreachable",
    )
    feeds = Text(
        "Feeds",
        "Feeds by how they stand. Stopped: the publisher asked to stop. Waiting: not polled yet.",
        "ok, all but one or two.",
        "`brinkwatch connect --once` says for each feed what is wrong.",
        runbook="BrinkwatchFeedsFailing",
    )
    success = Text(
        "Last success",
        "Time since a feed last answered as one.",
        "shorter than the shortest interval of your feeds.",
        "does this machine reach the internet at all?",
        runbook="BrinkwatchFeedsLost",
    )
    article = Text(
        "Last article",
        "Time since an article was last acknowledged by the broker.",
        "minutes; at night and with few feeds, more.",
        "feeds that answer and bring nothing for hours are stale, or changed their address.",
        runbook="BrinkwatchNoArticles",
    )
    failing = Text(
        "Polls that fail",
        "Share of the polls of the last quarter of an hour that brought no feed.",
        "below 5 %.",
        "the chart of failures says how they fail.",
        runbook="BrinkwatchFetchErrors",
    )
    pending = Text(
        "In flight",
        "Articles that were sent and are not acknowledged yet.",
        "0 to a few.",
        "a number that grows is a broker that is slow or gone.",
        runbook="BrinkwatchUnacknowledgedArticles",
    )
    share = f"sum(rate({FETCHES}{{{BAD_ENDS}}}[15m])) / sum(rate({FETCHES}[15m]))"
    ages = Look(((1800, POOR), (7200, BAD)), GOOD, graph=False, decimals=0)
    return Row(
        "Now",
        [
            figure(
                kafka,
                [Query('min(brinkwatch_kafka_up{process="connect"})')],
                unit="none",
                look=Look(meanings=YES_NO, graph=False),
            ),
            figure(
                feeds,
                [Query(f'sum(brinkwatch_connect_feeds{{state="{state}"}})', state) for state in FEED_STATES],
                unit="none",
                size=Size(9, 4),
                look=Look(colours=FEED_STATES, graph=False),
            ),
            figure(success, [Query(age("brinkwatch_connect_last_success_timestamp_seconds"))], unit="s", look=ages),
            figure(article, [Query(age("brinkwatch_connect_last_article_timestamp_seconds"))], unit="s", look=ages),
            figure(
                failing, [Query(share)], unit="percentunit", look=Look(((0.05, POOR), (0.25, BAD)), GOOD, decimals=1)
            ),
            figure(
                pending,
                [Query("sum(brinkwatch_connect_unacknowledged_articles)")],
                unit="none",
                look=Look(((200, POOR), (1000, BAD)), GOOD, decimals=0),
            ),
        ],
    )


def _polls() -> Row:
    begun = Text(
        "Polls begun, by kind",
        "Polls begun a minute, of feeds and what else is polled.",
        "a steady line: so many feeds over their intervals.",
        "a drop to nothing while Kafka answers is a defect, or a list of feeds without feeds.",
        runbook="BrinkwatchPollsLate",
    )
    failed = Text(
        "Polls that fail, by outcome",
        "Polls a minute that brought no feed, by how they ended.",
        "near nothing.",
        "dns, connect and tls in many feeds: the network here. rate_limited: poll less often. gone: mend the address.",
        runbook="BrinkwatchFetchErrors",
    )
    took = Text(
        "Time of a poll",
        "Time of one fetch, redirects and body included.",
        "half below a second.",
        "one slow publisher is cut off by its time-out; if all are slow, look at this machine and its network.",
    )
    good = Text(
        "Polls by outcome",
        "Polls a minute that went well. not_modified: the publisher says that nothing is new, at no cost.",
        "more not_modified than ok.",
        "feeds that never answer not_modified send their whole document each time.",
    )
    late = Text(
        "Polls are late by",
        "How long after it was due a poll began.",
        "below a few seconds.",
        "too many slow feeds for the polls that may run at once, or a machine that is too busy.",
        runbook="BrinkwatchPollsLate",
    )
    size = Text(
        "Bytes fetched",
        "Bytes a second of bodies, as they came over the wire.",
        "steady.",
        "a jump is a feed that grew, or one that stopped answering not_modified.",
    )
    third = Size(8, 8)
    a_minute = "suffix:/min"
    worst = most_frequent(FETCHES, 3, "kind", "outcome", where=BAD_ENDS, a_minute=True)
    return Row(
        "Polls: rate, errors, duration",
        [
            lines(
                begun,
                [Query(f"60 * {rate('brinkwatch_connect_fetch_attempts_total', 'kind')}", "{{kind}}")],
                unit=a_minute,
                size=third,
                style=Style(fill=15),
            ),
            lines(
                failed,
                [Query(worst, "{{what}}")],
                unit=a_minute,
                size=third,
                style=Style(colours={"all": MUTED}, maximum=1),
            ),
            lines(
                took,
                [
                    Query(quantile(share, "brinkwatch_connect_fetch_seconds", "kind"), f"{{{{kind}}}} {name}")
                    for share, name in ((0.5, "half"), (0.95, "95 %"))
                ],
                unit="s",
                size=third,
                steps=((20, BAD),),
            ),
            lines(
                good,
                [Query(f"60 * {rate(FETCHES, 'outcome', where=GOOD_ENDS)}", "{{outcome}}")],
                unit=a_minute,
                size=third,
                style=Style(stacked=True, colours={"ok": GOOD, "not_modified": NEUTRAL}),
            ),
            lines(
                late,
                quantiles("brinkwatch_connect_poll_delay_seconds"),
                unit="s",
                size=third,
                style=Style(colours=QUANTILES),
            ),
            lines(
                size,
                [Query(rate("brinkwatch_connect_fetched_bytes_total", "kind"), "{{kind}}")],
                unit="Bps",
                size=third,
                style=Style(fill=15),
            ),
        ],
    )


def _articles() -> Row:
    states = Text(
        "Feeds by state",
        "Feeds at each moment, by how they stand.",
        "flat.",
        "many that fail at once are a network; one after the other, publishers.",
        runbook="BrinkwatchFeedsFailing",
    )
    entries = Text(
        "Articles",
        "Entries of feeds an hour that were not known already. updated: sent again, for its title or text has changed.",
        "a tide: more by day than by night.",
        "new ones only in bursts are long intervals; none at all, see Last article.",
        runbook="BrinkwatchNoArticles",
    )
    seen = Text(
        "New among all entries",
        "Share of the entries in fetched feeds that were new.",
        "a few per cent: feeds show their last dozens again and again.",
        "near 0: the intervals may be longer. Above a third: shorter, or news falls out of a feed unseen.",
    )
    fresh = Text(
        "Published to fetched",
        "How old articles were when they were found; those sent for the first time, first polls of a feed left out.",
        "most within a feed's interval.",
        "the whole band higher than the intervals: publishers who stamp early, or polls that are late.",
    )
    middle = Text(
        "Published to fetched, quantiles",
        "Half of the articles were younger than the first line, 95 % younger than the second.",
        "half within minutes.",
        "shorten the interval of the feeds that matter most.",
    )
    handled = "brinkwatch_connect_articles_total"
    old = "brinkwatch_connect_published_to_fetched_seconds"
    share = ratio(handled, handled, part_where='outcome="new"')
    return Row(
        "Feeds and articles",
        [
            lines(
                states,
                [Query("sum by (state) (brinkwatch_connect_feeds)", "{{state}}")],
                unit="none",
                size=Size(8, 8),
                style=Style(stacked=True, stepped=True, colours=FEED_STATES, decimals=0),
            ),
            lines(
                entries,
                [Query(hourly(handled, "outcome", where='outcome!="seen"'), "{{outcome}}")],
                unit="suffix:/h",
                size=Size(8, 8),
                style=Style(stacked=True, colours=ENTRIES, decimals=0),
            ),
            lines(
                seen,
                [Query(share, "new")],
                unit="percentunit",
                size=Size(8, 8),
                style=Style(fill=15, colours={"new": GOOD}),
            ),
            density(fresh, buckets(old), unit="s", size=Size(16, 9)),
            lines(middle, quantiles(old)[:2], unit="s", size=Size(8, 9), style=Style(colours=QUANTILES)),
        ],
    )


def ingestion() -> dashboard.Dashboard:
    """The dashboard."""
    return framed(
        "ingestion",
        "Ingestion",
        "Whether news comes in: polls, feeds, articles, and how fresh they are.",
        rows=[_now(), _polls(), _articles()],
    )
