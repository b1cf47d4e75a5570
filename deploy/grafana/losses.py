"""Rows of the dashboard *Pipeline* on what is lost on the way: dead letters, and alerts that do not arrive."""

from __future__ import annotations

from deploy.grafana.charts import Style, lines
from deploy.grafana.frame import Row
from deploy.grafana.palette import BAD, MUTED
from deploy.grafana.panels import Query, Ready, Size, Text
from deploy.grafana.queries import hourly, most_frequent, quantile

READ, SCORED = "brinkwatch_extract_articles_total", "brinkwatch_score_signals_total"
LETTERS = "brinkwatch_dead_letters_total"
THIRD = Size(8, 8)
OFF = "off: notify does not run, or has nothing to send to"


def letters() -> Row:
    """Dead letters."""
    return Row("What could not be used", [_dead_letters_by_reason(), _dead_letter_share()])


def _dead_letters_by_reason() -> Ready:
    text = Text(
        "Dead letters, by reason",
        "Messages an hour that could not be used, by stage and reason; the six most frequent of the range.",
        "flat at 0.",
        "schema or version: a writer that keeps to another schema. crash, stalled, memory: a defect, or an attack.",
        runbook="BrinkwatchDeadLetters",
    )
    worst = most_frequent(LETTERS, 6, "stage", "reason")
    return lines(
        text,
        [Query(worst, "{{what}}")],
        unit="suffix:/h",
        size=Size(14, 8),
        style=Style(beside=True, maximum=1, colours={"all": MUTED}),
    )


def _dead_letter_share() -> Ready:
    text = Text(
        "Dead letters among all",
        "Dead letters for each message that extract and score have read.",
        "below one in a thousand.",
        "see which reason it is, and redrive when its cause is mended: `brinkwatch deadletters redrive`.",
        runbook="BrinkwatchDeadLetterRatio",
    )
    everything = " + ".join(hourly(each) for each in (READ, SCORED, LETTERS))
    return lines(
        text,
        [Query(f"{hourly(LETTERS)} / ({everything})", "dead letters")],
        unit="percentunit",
        size=Size(10, 8),
        style=Style(colours={"dead letters": BAD}, maximum=0.005),
    )


def notify() -> Row:
    """Alerts on their way to receivers. Not everybody runs notify: the row is folded."""
    return Row("Notify (if it runs)", [_alerts_sent(), _delivery_time(), _alerts_waiting()], folded=True)


def _alerts_sent() -> Ready:
    text = Text(
        "Alerts sent",
        "Transitions an hour by receiver, by what became of them.",
        "delivered, and filtered where a receiver wants only some.",
        "refused and exhausted are dead letters: mend the receiver, then redrive.",
        runbook="BrinkwatchAlertsUndelivered",
    )
    return lines(
        text,
        [Query(hourly("brinkwatch_notify_alerts_total", "receiver", "outcome"), "{{receiver}} {{outcome}}")],
        unit="suffix:/h",
        size=THIRD,
        style=Style(off=OFF),
    )


def _delivery_time() -> Ready:
    text = Text(
        "Time to deliver",
        "95 % of transitions reached the receiver faster, from their commit on the topic.",
        "seconds.",
        "a receiver that is slow or away; notify tries again, longer and longer apart.",
        runbook="BrinkwatchNotifyFailing",
    )
    return lines(
        text,
        [Query(quantile(0.95, "brinkwatch_notify_delivery_seconds", "receiver"), "{{receiver}}")],
        unit="s",
        size=THIRD,
        style=Style(off=OFF),
    )


def _alerts_waiting() -> Ready:
    text = Text(
        "Alerts waiting",
        "Transitions that were read and are not done with, by receiver.",
        "0.",
        "a number that stays is a receiver that does not answer.",
        runbook="BrinkwatchNotifyBacklog",
    )
    return lines(
        text,
        [Query("max by (receiver) (brinkwatch_notify_waiting_alerts)", "{{receiver}}")],
        unit="none",
        size=THIRD,
        style=Style(stepped=True, decimals=0, maximum=5, off=OFF),
    )
