"""What must hold for any text at all."""

# ruff: noqa: E501 - tables of sentences read best one to a line, with plain values and their own marks

import sys

import msgspec
import pytest
from extraction_support import article, signals
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.extraction import quotes, sentences
from pipeline.extraction.assembly import MAX_EVENTS
from pipeline.extraction.engine import MAX_PARSED

WORDS = st.sampled_from(
    ["Russia", "troops", "invade", "if", "“", "”", "Ukraine", "will", "sanctions", "\n", "• ", "no", "Biden", "said", "“We", ",", ".", "?", "not", "threatened", "3,000",
     "dozens of", "US", "we", "its", "the country", "attack", "\u200b", "İstanbul", "ﬁre", "🙂", "\x00", "—", "(Reuters) -", "talks", "with", "between", "and", "to", "deploy"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=400), st.lists(WORDS, max_size=60).map(" ".join))
UNITS = st.one_of(st.text(min_size=1, max_size=40), st.lists(WORDS, min_size=1, max_size=12).map(" ".join))
LONG = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
SLOW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def test_a_hostile_page_costs_no_more_than_a_long_report(engine):
    """A page of trigger sentences only is read up to a bound, from its beginning."""
    page = " ".join(f"Russia massed {n},000 troops near Ukraine." for n in range(1, 300))
    found = engine.extract([article(page)])[0]
    assert found.gated == MAX_PARSED
    assert found.signals[0].magnitudes[0].value == 1000


def _spans_are_true(found, text: str, title: str) -> None:
    """Every span of every signal is the place of its words."""
    parts = {"title": title, "text": text}
    for signal in found:
        evidence = signal.evidence
        whole = parts[evidence.part]
        assert whole[slice(*evidence.sentence_span)] == evidence.sentence
        assert whole[slice(*evidence.trigger_span)] == evidence.trigger
        spoken = [*signal.actors, *signal.recipients, *signal.magnitudes, *evidence.cues]
        for part in spoken:
            assert part.span is None or whole[slice(*part.span)] == part.text


@SLOW
@given(text=TEXTS, title=TEXTS, other=TEXTS)
def test_any_text(engine, text, title, other):
    """Never raises; spans index the original; the same article gives the same signals and ids, alone or in a batch."""
    found = signals(engine, text, title=title)
    _spans_are_true(found, text, title)
    assert len({signal.signal_id for signal in found}) == len(found)
    batch = engine.extract([article(other), article(text, title=title), article(title, title=other)])
    assert batch[1].signals == found


@LONG
@example(unit="sanctions Russia Russia Russia Russia , . .", size=1001)  # the parser reads a full stop after the cut
@example(unit="SANCTION?", size=1000)  # one word of capitals, longer than a cue may be
@given(unit=UNITS, size=st.integers(1_000, 1_000_000))
def test_any_long_text(engine, unit, size):
    """Up to a megabyte of anything, over and over: nothing raises, the work is bounded, and spans are true."""
    text = (unit * (size // len(unit) + 1))[:size]
    extraction = engine.extract([article(text, title=text[:2000])])[0]
    assert extraction.sentences <= sentences.MAX_SENTENCES
    assert extraction.gated <= MAX_PARSED
    assert extraction.cut == (len(text) > sentences.MAX_TEXT)
    _spans_are_true(extraction.signals, text, text[:2000])


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


def _calls(work) -> int:
    """How many functions are called while ``work`` runs, Python's own among them: a measure that no other load moves."""
    count = 0

    def called(_frame, event: str, _value) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "unit",
    [
        "Russia massed troops near Ukraine. ",
        "Russia, Ukraine, Iran and ",
        "A. Mr. B. ",
        "“We will strike Iran,” he said. ",
        "• Georgia\n",
        "war ",
        "(",
        '"',
        "x",
        "anti-",
    ],
)
def test_work_before_the_parse_grows_with_the_text_and_no_faster(engine, unit):
    """Twice the text takes about twice the calls: in sentences, names, quotations and the gate."""

    def read(size: int) -> int:
        one = article((unit * (size // len(unit) + 1))[:size])
        return _calls(lambda: engine._read(one))

    read(1_000)
    assert read(16_000) <= 2.3 * read(8_000) + 200


@pytest.mark.parametrize("text", ["." * 200_000, "?!" * 100_000, "…" * 200_000, "(" * 100_000 + ")" * 100_000])
def test_runs_of_marks_are_read_once(text):
    """A run of marks without a space after it is not tried again from each of them: that took minutes."""
    assert len(sentences.split("", text)) == len(text) // sentences.MAX_SENTENCE


def test_huge_text_is_bounded(engine):
    """A megabyte is cut and flagged; so many sentences are seen, and so many parsed, however long it is."""
    extraction = engine.extract([article("Russia attacked Ukraine with missiles. " * 26_000)])[0]
    assert extraction.cut
    assert extraction.sentences == sentences.MAX_SENTENCES
    assert extraction.parsed == MAX_PARSED


@pytest.mark.parametrize("text", ["x" * 300_000, "troops" * 50_000, " " * 300_000, "Russia " * 10_000, '"' * 100_000])
def test_texts_without_a_sentence(engine, text):
    """One word without end, or nothing but names or quotation marks: read to its bound, and nothing found."""
    assert engine.extract([article(text)])[0].signals == ()


def test_a_headline_and_a_bullet_list_are_sentences_of_their_own(engine):
    """A headline without a full stop does not run into the text; each bullet is read alone, without its mark."""
    text = "What we know:\n• Iran fired missiles at Iraq\n- Iraq recalled its ambassador from Iran\n3) Prices fell"
    found = signals(engine, text, title="Iran strikes Iraq with missiles")
    assert {s.evidence.sentence for s in found} == {
        "Iran strikes Iraq with missiles",
        "Iran fired missiles at Iraq",
        "Iraq recalled its ambassador from Iran",
    }
    _spans_are_true(found, text, "Iran strikes Iraq with missiles")


@pytest.mark.parametrize(
    "dateline", ["NAIROBI (Reuters) - ", "NAIROBI, Kenya, March 3 (AP) — ", "WASHINGTON: ", "TEL AVIV, 3 Mar 2030 — "]
)
def test_a_dateline_is_no_actor(engine, dateline):
    """The place of a dateline does nothing: the signal is that of the sentence without it."""
    text = f"{dateline}Iran fired missiles at Iraq."
    (signal,) = signals(engine, text)
    assert signal.dyads == ("IRN-IRQ",)
    assert signal.evidence.sentence == "Iran fired missiles at Iraq."
    _spans_are_true([signal], text, "")


@pytest.mark.parametrize(
    "text",
    [
        "<p>Iran fired missiles at Iraq.</p><br/>",
        "Iran fired missiles at Iraq.&nbsp;&amp;#8220;",
        "&lt;div Iran fired missiles at Iraq.",
        "<a href='x'>Iran</a> fired missiles at Iraq. <",
        "Iran fired missiles at Iraq.]]>--><script",
    ],
)
def test_broken_markup_does_no_harm(engine, text):
    """Tags and entities that nobody took away are characters like others: nothing raises, and spans are true."""
    _spans_are_true(signals(engine, text), text, "")


def test_all_capitals(engine):
    """A headline in capitals is read as one in small letters, and quoted as it stands."""
    (signal,) = signals(engine, "IRAN FIRED MISSILES AT IRAQ")
    assert (signal.event_type, signal.dyads) == ("force", ("IRN-IRQ",))
    assert signal.evidence.trigger == "FIRED"


@pytest.mark.parametrize("marks", ["“”", '""', "«»"])
def test_quotation_marks_of_all_kinds(engine, marks):
    """What is threatened in quotation marks is the speaker's threat, whatever marks they are."""
    text = f"{marks[0]}We will attack Iraq,{marks[1]} Iran\u2019s president said."
    found = signals(engine, text)
    assert [(s.event_type, s.dyads) for s in found] == [("force", ("IRN-IRQ",))]
    _spans_are_true(found, text, "")


def test_other_languages_are_counted_not_read(engine):
    """An article that is not English is told apart, counted as such, and not read."""
    other = msgspec.structs.replace(article("Russland greift die Ukraine an."), language="de")
    extraction = engine.extract([other])[0]
    assert (extraction.outcome, extraction.sentences, extraction.parsed) == ("language", 0, 0)


@pytest.mark.parametrize(
    "text", ["俄罗斯向乌克兰发射导弹。", "Россия атаковала Украину ракетами.", "أطلقت إيران صواريخ على العراق."]
)
def test_other_languages_that_nobody_told_apart(engine, text):
    """Text of another script whose language is unknown is stopped at the gate, for it names nobody in English."""
    assert engine.extract([article(text)])[0].outcome == "gated"


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


def test_one_sentence_gives_few_signals(engine):
    """A sentence that repeats itself a hundred times must not flood the topic: real ones hold five events at most."""
    text = "Kenya sent " + ", ".join(f"{n} troops to Chad and {n} missiles to Mali" for n in range(100, 130)) + "."
    assert 0 < len(signals(engine, text)) <= MAX_EVENTS


def test_sentences_that_are_parsed_are_bounded(engine):
    """What names the speakers of quotations is parsed, too, and must not go beyond the bound for one article."""
    said = "“Kenya sent troops to Chad.\nKenya shelled Mali again.”\nA spokesman of Chad said so.\n" * 150
    assert engine.extract([article(said)])[0].parsed <= MAX_PARSED
