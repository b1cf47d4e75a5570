"""Who is meant where grammar ties nobody to an event, and a build-up that is only reacted to."""

import pytest
from extraction_support import found, signals

BUILD_UPS = {
    "an accuser's own border": (
        "Armenia says Azerbaijan amassed over 20,000 troops at border",
        ("deployment", "asserted", True, "AZE", "ARM"),
    ),
    "whom an attack is feared on": (
        "India moves more brigades, fuel depots as fears rise of possible Pakistan invasion",
        ("deployment", "asserted", True, "IND", "PAK"),
    ),
    "of whom it is said": (
        "Moldova accuses Russia of massing forces on its border",
        ("deployment", "asserted", True, "RUS", ""),
    ),
    "options over a build-up": (
        "Germany says every option is open over Russia's troop build-up in Estonia",
        ("deployment", "asserted", True, "RUS", ""),
    ),
    "fears of a build-up": (
        "Fears of a Russian troop build-up grow",
        ("deployment", "speculative", False, "RUS", ""),
    ),
}


@pytest.mark.parametrize("name", BUILD_UPS)
def test_a_build_up(engine, name):
    """Its parties, and whether it goes on or is only expected, by what the sentence says about it."""
    text, expected = BUILD_UPS[name]
    assert expected in found(engine, "", title=text)


def test_who_warns_does_not_build_up(engine):
    """A build-up told of beside a warning is not the warner's."""
    told = found(engine, "", title="Canada warns partners of possible Chinese incursion as warships mass near Taiwan")
    assert all("CAN" not in actors for kind, _, _, actors, _ in told if kind == "deployment")


CALMING = {
    "from a rival's soil": ("Turkey withdrew its troops from Greece on Thursday.", "GRC-TUR"),
    "from a rival's border": ("Armenian forces pull back 20 kilometres from Azerbaijani border", "ARM-AZE"),
    "of both sides": ("India and Pakistan exchanged 40 prisoners at a bridge in Kashmir.", "IND-PAK"),
    "from a friend's soil": ("The US withdrew its forces from Germany.", "*-USA"),
}


@pytest.mark.parametrize("name", CALMING)
def test_a_withdrawal_calms_whoever_it_is_about(engine, name):
    """From whose soil or border forces leave, if that is a rival: else no score would hear of it."""
    text, dyad = CALMING[name]
    (told,) = [signal for signal in signals(engine, text) if signal.event_type == "withdrawal"]
    assert told.dyads == (dyad,)
