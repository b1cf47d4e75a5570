"""Ordinary news stays silent: the same words in trade, sport, crime, courts, films, weather and politics; our own sentences."""

# ruff: noqa: E501 - tables of sentences read best one to a line, with plain values and their own marks

import pytest
from extraction_support import signals

ORDINARY = [
    "Trade talks between Canada and Mexico resumed over dairy quotas.",
    "The supermarket price war between Aldi and Lidl cut profits across Germany.",
    "The French striker fired his team into the lead before half-time.",
    "Rail workers in Britain will strike on Friday over pay.",
    "Teachers threatened strike action in Kenya after salary talks broke down.",
    "The supreme court of Brazil will hear the appeal next week.",
    "The new video game lets players invade a fictional island.",
    "A man was charged with assault outside a Dublin nightclub.",
    "Police attacked by a mob in Marseille arrested four teenagers.",
    "Officers deployed pepper spray at the football match in Rome.",
    "The film about the invasion of Normandy opens in cinemas this week.",
    "The Italian coach deployed three defenders in the second half.",
    "The regulator imposed sanctions on the Irish bank for poor controls.",
    "FIFA sanctioned the Ghanaian club for fielding an ineligible player.",
    "The start-up launched an attack on Google's search business.",
    "The opposition leader attacked the Polish government's budget.",
    "A shark attack closed two beaches in Australia.",
    "Heart attacks kill more men than cancer in Finland.",
    "Hurricane winds struck Cuba on Tuesday, flooding villages.",
    "The Danish company withdrew its bid for the Spanish rival.",
    "She withdrew from the tennis tournament in Madrid with an injury.",
    "The Austrian chancellor defended the tax bill in a heated debate.",
    "The Indian minister met farmers to discuss crop prices.",
    "Rangers recalled the midfielder from his loan in Belgium.",
    "The carmaker recalled 20,000 vehicles in Japan over faulty brakes.",
    "A fire drill emptied the ministry in Lisbon for an hour.",
    "Breathing exercises help patients sleep, a Swedish study found.",
    "Volunteers mobilised to clean beaches after the Greek oil spill.",
    "The party mobilised its voters in the Hungarian election.",
    "The charity delivered food supplies to families in Malawi.",
    "The museum in Vienna shows weapons from the seventeenth century.",
    "A burglar shot a shopkeeper in Johannesburg.",
    "The gang seized control of the drug trade in two Mexican cities, prosecutors said.",
    "Locusts invaded farms in Somalia after heavy rain.",
    "Chinese shares fell as investors fought over the developer's debt.",
    "The airline suspended flights to Iceland because of volcanic ash.",
    "The president of Ghana demanded better service from the power company.",
    "Lawyers for the Nigerian singer demanded an apology.",
    "Tourists besieged the Louvre during the French holidays.",
    "Critics attacked the Norwegian author's latest novel.",
    "The Dutch team crushed Wales in the hockey final.",
    "A veteran of the Korean War celebrated his hundredth birthday in Ohio.",
    "The Swiss firm launched a missile-shaped ice cream.",
    "Scientists in Chile launched a satellite to study clouds.",
    "The orchestra of Prague staged a military band concert.",
    "Coalition talks in the Netherlands dragged on for a third month.",
    "The striker's agent ended talks with the Turkish club.",
    "The bombing of a shopping street in the novel shocked Japanese readers.",
    "Hackers attacked a hospital in Oregon and asked for money.",
    "The chef declared war on plastic in his Singapore kitchen.",
    "A tribunal in Geneva sentenced a former banker for fraud.",
    "Two trains collided near Milan, injuring nine passengers.",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_news_is_silent(engine, text):
    """Words of conflict in other matters give no active signal."""
    active = [(str(s.event_type), str(s.modality), s.evidence.trigger) for s in signals(engine, text) if s.active]
    assert active == []


def test_most_ordinary_news_gives_nothing_at_all(engine):
    """Not even inactive signals, save for a few: at most one sentence in ten."""
    talking = [text for text in ORDINARY if signals(engine, text)]
    assert len(talking) <= len(ORDINARY) // 10
