"""What must hold for any text at all."""

# ruff: noqa: E501 - tables of sentences read best one to a line, with plain values and their own marks

import time

from extraction_support import article, signals
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.extraction import quotes, sentences
from pipeline.extraction.engine import MAX_PARSED

WORDS = st.sampled_from(
    ["Russia", "troops", "invade", "if", "“", "”", "Ukraine", "will", "sanctions", "\n", "• ", "no", "Biden", "said", "“We", ",", ".", "?", "not", "threatened", "3,000",
     "dozens of", "US", "we", "its", "the country", "attack", "\u200b", "İstanbul", "ﬁre", "🙂", "\x00", "—", "(Reuters) -", "talks", "with", "between", "and", "to", "deploy"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=400), st.lists(WORDS, max_size=60).map(" ".join))
SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def test_a_hostile_page_costs_no_more_than_a_long_report(engine):
    """A page of trigger sentences only is read up to a bound, from its beginning."""
    page = " ".join(f"Russia massed {n},000 troops near Ukraine." for n in range(1, 300))
    found = engine.extract([article(page)])[0]
    assert found.gated == MAX_PARSED
    assert found.signals[0].magnitudes[0].value == 1000


@SLOW
@given(text=TEXTS, title=TEXTS)
def test_any_text(engine, text, title):
    """Never raises; spans index the original; the same article gives the same signals and ids."""
    found = signals(engine, text, title=title)
    parts = {"title": title, "text": text}
    for signal in found:
        evidence = signal.evidence
        whole = parts[evidence.part]
        assert whole[slice(*evidence.sentence_span)] == evidence.sentence
        assert whole[slice(*evidence.trigger_span)] == evidence.trigger
        for party in (*signal.actors, *signal.recipients):
            assert party.span is None or whole[slice(*party.span)] == party.text
        for magnitude in signal.magnitudes:
            assert whole[slice(*magnitude.span)] == magnitude.text
    assert signals(engine, text, title=title) == found
    assert len({signal.signal_id for signal in found}) == len(found)


@given(text=st.text(max_size=3000))
def test_sentences_index_the_text(text):
    """Sentences are in order, do not overlap, are bounded, and are what stands at their place."""
    end = 0
    for sentence in sentences.split("", text):
        assert sentence.text == text[sentence.start : sentence.end]
        assert end <= sentence.start < sentence.end
        assert len(sentence.text) <= sentences.MAX_SENTENCE
        end = sentence.end


@given(text=st.text(alphabet='ab "“”\n', max_size=300))
def test_quotations_do_not_overlap(text):
    """Quotations are in order, and each offset inside one finds it."""
    end = 0
    found = quotes.find(text)
    for start, stop in found.spans:
        assert end <= start < stop <= len(text)
        assert found.at(start) == (start, stop)
        end = stop


def test_huge_text_is_bounded(engine):
    """A megabyte is read in bounded time: the text is cut and flagged, sentences are capped."""
    began = time.monotonic()
    extraction = engine.extract([article("Russia attacked Ukraine with missiles. " * 26_000)])[0]
    assert extraction.cut
    assert extraction.sentences <= sentences.MAX_SENTENCES
    assert time.monotonic() - began < 120  # a bound against hanging, no measure of speed


def test_one_word_without_end(engine):
    """A text without a single space is cut in pieces."""
    assert engine.extract([article("x" * 300_000)])[0].outcome == "gated"


def test_other_languages_are_counted_not_read(engine):
    """An article that says it is not English is skipped."""
    import msgspec

    other = msgspec.structs.replace(article("Russland greift die Ukraine an."), language="de")
    assert engine.extract([other])[0].outcome == "language"


def test_drill_names_count_in_drills_only(engine):
    """Invented states are known in the drill, and nowhere else."""
    text = "Karvenia massed 20,000 troops on its border with Belmora."
    (signal,) = signals(engine, text, drill=True)
    assert signal.dyads == ("XBM-XKV",)
    assert signal.drill
    assert all(not s.actors for s in signals(engine, text))


def test_dyads_of_mutual_and_one_sided_events(engine):
    """Talks pair their parties; a deed without a named recipient stands under the open side."""
    (talks,) = signals(engine, "Talks between Greece and Turkey began in Athens.")
    assert talks.dyads == ("GRC-TUR",)
    (drill,) = signals(engine, "Egypt began naval exercises on Monday.")
    assert drill.dyads == ("*-EGY",)


def test_batch_and_single_agree(engine):
    """An article's signals do not depend on what else is in the batch."""
    articles = [
        article("Iran fired missiles at Iraq."),
        article("Sunny weather in Spain."),
        article("Chad expelled the Sudanese ambassador."),
    ]
    together = engine.extract(articles)
    assert together == [engine.extract([one])[0] for one in articles]
    assert [extraction.outcome for extraction in together] == ["signals", "gated", "signals"]
