"""The gazetteer: what stands in it, and what is said of files that are wrong."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
from pathlib import Path

import pytest

from config.actor_names import actor_names
from config.errors import ConfigError
from config.fold import fold
from config.names import Gazetteer, load_gazetteer
from config.settings import PACKAGED

CONFIG = Path(__file__).parents[2] / "config"
UN_MEMBERS = frozenset(
    re.findall(
        r"\w+",
        """
        AFG AGO ALB AND ARE ARG ARM ATG AUS AUT AZE BDI BEL BEN BFA BGD BGR BHR BHS BIH BLR BLZ BOL BRA BRB BRN BTN
        BWA CAF CAN CHE CHL CHN CIV CMR COD COG COL COM CPV CRI CUB CYP CZE DEU DJI DMA DNK DOM DZA ECU EGY ERI ESP
        EST ETH FIN FJI FRA FSM GAB GBR GEO GHA GIN GMB GNB GNQ GRC GRD GTM GUY HND HRV HTI HUN IDN IND IRL IRN IRQ
        ISL ISR ITA JAM JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAR MCO
        MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MOZ MRT MUS MWI MYS NAM NER NGA NIC NLD NOR NPL NRU NZL OMN PAK
        PAN PER PHL PLW PNG POL PRK PRT PRY QAT ROU RUS RWA SAU SDN SEN SGP SLB SLE SLV SMR SOM SRB SSD STP SUR SVK
        SVN SWE SWZ SYC SYR TCD TGO THA TJK TKM TLS TON TTO TUN TUR TUV TZA UGA UKR URY USA UZB VCT VEN VNM VUT WSM
        YEM ZAF ZMB ZWE
        """,
    )
)


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    """The packaged gazetteer."""
    return load_gazetteer(CONFIG / "gazetteer")


def write(folder: Path, name: str, *entries: str) -> None:
    """A gazetteer file of ``entries``, each a YAML flow mapping."""
    (folder / name).write_text("entries:\n" + "".join(f"- {entry}\n" for entry in entries), "utf-8")


def faults_of(folder: Path) -> list[str]:
    """What ``load_gazetteer`` says is wrong."""
    with pytest.raises(ConfigError) as caught:
        load_gazetteer(folder)
    return [str(fault) for fault in caught.value.faults]


def test_every_un_member_has_code_demonym_and_capital(gazetteer: Gazetteer):
    """A state that is missing, or known by half its names, would make its quarrels invisible."""
    assert len(UN_MEMBERS) == 193
    for code in sorted(UN_MEMBERS):
        entry = gazetteer.actors[code]
        assert entry.kind == "state"
        assert entry.adjectives, code
        assert entry.capitals, code


def test_codes_are_fit_for_a_dyad_key(gazetteer: Gazetteer):
    """A dyad key joins two codes with a hyphen, so none may hold one; states outside ISO are there too."""
    codes = {code for entry in gazetteer.entries for code in entry.codes()}
    assert not [code for code in codes if "-" in code or "*" in code]
    assert {"XKX", "TWN", "PSE", "ESH", "NATO", "EU", "UN", "WEST", "REB", "XKV", "XBM", "XDK", "XNC"} <= codes


def test_labels_are_names_for_people(gazetteer: Gazetteer):
    """A dashboard shows the first name of a code, and the bare code where nobody knows it."""
    assert gazetteer.label("RUS") == "Russia"
    assert gazetteer.label("QQQ") == "QQQ"


def test_invented_states_are_flagged(gazetteer: Gazetteer):
    """An unflagged entry of the drill would raise alerts about states that do not exist."""
    assert all(
        entry.drill for entry in gazetteer.entries for code in entry.codes() if code in {"XKV", "XBM", "XDK", "XNC"}
    )


@pytest.mark.skipif(importlib.util.find_spec("countryinfo") is None, reason="needs the extra dev")
def test_states_file_is_what_its_generator_writes():
    """An edit of the generated file by hand would be lost at the next run."""
    from config.gazetteer_states import TARGET, rendered

    assert TARGET.read_text("utf-8") == rendered()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{kind: state, names: [Foo]}", "a state needs a code"),
        ("{code: FOO, kind: state, names: [Foo], capital: [Bar]}", "no such setting"),
        ("{code: foo, kind: state, names: [Foo]}", "pattern"),
        ("{code: FOO, kind: state, names: []}", "at least 1"),
        ("{code: FOO, kind: state, names: [Foo], exact: [Bar]}", "no name of the entry: ['Bar']"),
        ("{kind: person, names: [Jo Foo]}", "needs terms"),
        ("{kind: sea, names: [Foo Sea], adjectives: [Fooish]}", "no adjectives"),
        ("{code: FOO, kind: state, names: [Foo], cautions: [{not_after: [on]}]}", "valid string"),
        ("{kind: person, names: [Jo Foo], terms: [{code: FOO, office: king, since: 2011-13}]}", "date"),
        (
            "{kind: person, names: [Jo Foo], terms: [{code: FOO, office: king, since: 2011, until: 2010}]}",
            "until is before",
        ),
        ("{kind: person, names: [Jo Foo], terms: [{code: QQ, office: king, since: 2011}]}", "found QQ"),
    ],
)
def test_wrong_entry_is_named_with_file_and_line(tmp_path: Path, entry: str, expected: str):
    """An operator must be told which line to mend, and how."""
    write(tmp_path, "mine.yaml", "{kind: trap, names: [Something Else]}", entry)
    (fault,) = faults_of(tmp_path)
    assert f"{tmp_path / 'mine.yaml'}:3: entries[1]" in fault
    assert expected in fault


def test_name_claimed_for_two_codes_is_a_fault_in_the_later_file(tmp_path: Path):
    """Silently taking one of two meanings would send signals to the wrong dyad; case and accents do not tell apart."""
    write(tmp_path, "a.yaml", "{code: FOO, kind: state, names: [Fooland]}")
    write(tmp_path, "b.yaml", "{code: BAR, kind: state, names: [Barland, FÓOLAND]}")
    (fault,) = faults_of(tmp_path)
    assert f"{tmp_path / 'b.yaml'}:2: entries[0].names[1]" in fault
    assert "a.yaml:2" in fault
    assert "ambiguous" in fault


def test_name_may_be_shared_when_declared_or_silent_or_invented(tmp_path: Path):
    """Congo has two states; a declared loser, a name that is never matched and a drill entry are no clash."""
    write(tmp_path, "a.yaml", "{code: FOO, kind: state, names: [Fooland]}")
    write(tmp_path, "b.yaml", "{code: BAR, kind: state, names: [Fooland], ambiguous: [Fooland]}")
    write(tmp_path, "c.yaml", "{code: BAZ, kind: state, names: [Bazland, Fooland], silent: [Fooland]}")
    write(tmp_path, "d.yaml", "{code: XFO, kind: state, names: [Fooland], drill: true}")
    assert len(load_gazetteer(tmp_path).entries) == 4


def test_an_operator_extends_it_by_one_more_file(tmp_path: Path):
    """A new file is read beside the others, and its people may speak for states of another file."""
    write(tmp_path, "a.yaml", "{code: FOO, kind: state, names: [Fooland]}")
    write(
        tmp_path,
        "mine.yaml",
        "{kind: person, names: [Jo Fox], terms: [{code: FOO, office: king, since: 2011, until: 2012-02}]}",
    )
    person = load_gazetteer(tmp_path).entries[1]
    assert person.terms[0].since == dt.date(2011, 1, 1)
    assert person.terms[0].until == dt.date(2012, 2, 29)


def test_faults_of_every_file_come_together(tmp_path: Path):
    """Mending one file only to hear of the next wastes an operator's time."""
    write(tmp_path, "a.yaml", "{kind: state, names: [Foo]}")
    (tmp_path / "b.yaml").write_text("entries: [\n", "utf-8")
    (tmp_path / "c.yaml").write_text("", "utf-8")
    assert len(faults_of(tmp_path)) == 3


def test_empty_folder_is_a_fault(tmp_path: Path):
    """Running without names would find no actor in anything, and say nothing."""
    assert "at least one gazetteer file" in faults_of(tmp_path)[0]


def test_fold_keeps_offsets():
    """Lower-casing can lengthen text (the dotted capital I); offsets into the folded text must index the original."""
    text = "\u0130STANBUL stra\u00dfe \ufb01x Erdo\u011fan\u2019s A\u0301 \U0001d400 Guinea\u2011Bissau"
    assert len(fold(text)) == len(text)
    assert fold("Erdo\u011fan\u2019s") == "erdogan's"
    assert fold("\u0130stanbul") == "istanbul"


def test_actors_are_called_what_the_gazetteer_calls_them():
    """The quick reading of names, for labels, says what the checked one says, of every actor there is."""
    checked = load_gazetteer(PACKAGED / "gazetteer").actors
    assert actor_names(PACKAGED / "gazetteer") == {code: entry.names[0] for code, entry in checked.items()}


def test_a_broken_file_of_names_is_named(tmp_path):
    """Whoever reads names only for show must learn which file it is, and go on without."""
    (tmp_path / "a.yaml").write_text("entries: [{kind: state, code: AAA, names: []}, 7, {code: B}]")
    assert actor_names(tmp_path) == {}
    (tmp_path / "b.yaml").write_text("entries: [")
    with pytest.raises(ConfigError, match=r"b\.yaml"):
        actor_names(tmp_path)
