"""What a need leaves open: a complete one gets no question, a terse one the most telling first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.model import ProfileKind
from matcher.analysis import analyse
from matcher.questions import CODES, MAX_QUESTIONS, answered, answers, questions
from matcher.routing import Route

COMPLETE = {
    "nl": [
        "Bij het lassen van dunwandig aluminium trekken onze fietsframes krom. Langzamer lassen en een andere draad hielpen niet. De wand is 1,2 mm en de afwijking mag hoogstens 0,3 mm zijn. Vóór de zomer willen we kiezen, zodat de nieuwe lijn op tijd draait.",
        "Wij maken membranen voor zuivelfabrieken. Ze vervuilen na twee weken; spoelen met loog hebben we geprobeerd maar tast het materiaal aan. De temperatuur blijft onder 60 graden. Er is een prototype van een nieuwe module en in maart moeten we verder.",
        "Onze klanten in de glastuinbouw vragen om een sensor die ammoniak meet. Bestaande oplossingen drijven weg bij hoge vochtigheid. Hij moet 5 ppm kunnen zien en minder dan 40 euro kosten. We zitten op TRL 4 en willen dit jaar een veldproef.",
        "Wij bouwen grijpers voor bakkerijen, bedoeld voor zacht gebak. Vacuüm en siliconenvingers werkten niet: het product scheurt. De cyclustijd is 0,8 seconde en het materiaal moet voldoen aan HACCP. Binnen zes maanden staat de machine bij de klant.",
        "De tandwielkasten van onze scheepslieren slijten te vroeg. We hebben twee oliën getest, zonder resultaat. Ze draaien bij 15 toeren per minuut en zout water, en de behuizing mag niet groter worden. Ons doel is een levensduur van tien jaar; eind van dit jaar beslissen we over het ontwerp.",
        "Voor patiënten met een beenprothese ontwikkelen wij een koker die meebeweegt. Luchtkussens zijn uitgeprobeerd en waren te traag. Het geheel mag niet zwaarder zijn dan 900 g. Er ligt een proefmodel en in september begint een test in de kliniek.",
        "We willen afwijkende lasnaden herkennen met camera's, zodat minder delen met de hand bekeken worden. Een standaardpakket is geprobeerd, maar dat miste de helft. Er zijn maar 20 foute beelden en de beslissing moet binnen 2 seconden vallen. Volgende maand begint de bouw.",
        "Ons bedrijf levert warmtepompen, onze klanten klagen over een bromtoon van 120 Hz. Rubberen voeten hielpen nauwelijks. De kast moet passen op een voetafdruk van 60 bij 60 cm. Voor het eind van het stookseizoen moet er een nieuwe versie zijn.",
        "Wij produceren verpakkingsfolie en zoeken een composteerbare barrière tegen zuurstof, nodig voor gesneden groente. Een coating van zetmeel werkte niet door het vocht. De dikte is maximaal 50 µm, en het moet voldoen aan EN 13432. In het najaar van 2027 willen we opschalen.",
        "Onze lithiumcellen verouderen in de winter te snel. Tot nu toe hebben we voorverwarmen geprobeerd, wat te veel stroom kost. Ze worden gebruikt in bezorgfietsen, van min 15 tot 40 graden. Een proefopstelling staat er, en in januari begint de volgende serie.",
        "Om verkeer te kunnen regelen willen we holtes onder wegen met radar vinden; het doel is een waarschuwing voordat een gat valt. Grondboringen zijn eerder gedaan en waren te duur. De diepte is minstens 1,5 m. Het is pas een idee, maar dit voorjaar moet de gemeente besluiten.",
        "Wij telen paprika's en willen oogsten met een robot, toepassing in bestaande kassen. We hebben drie camera's getest die bij tegenlicht niets zagen. De robot moet per vrucht minder dan 6 seconden nodig hebben. Het prototype rijdt al en over acht maanden moet het plukken.",
        "Als producent van kaas zoeken wij een manier om korstfouten in een vroeg stadium te zien, want dan hoeven we minder weg te gooien. Handmatige controle en een gewone camera voldoen niet. Per uur gaan 1200 kazen langs, in een koude en vochtige ruimte. We willen er na de zomervakantie mee aan de slag.",
        "De rotorbladen van onze kleine windmolen maken te veel herrie voor gebruik in woonwijken. Een andere bladpunt en een lager toerental losten het niet op. Het blad is 2,4 meter lang en moet windkracht 10 overleven. Begin 2027 vragen we de keuring aan.",
        "Wij verhuren tenten en willen doek dat schoon blijft zonder wassen; het gaat om evenementen waar alles wit moet zijn. Twee sprays van leveranciers waren na drie keer opzetten weg. Het doek moet brandvertragend blijven volgens M2. Het seizoen start in april.",
        "Onze software voor thuiszorgroutes loopt spaak als er iemand ziek wordt. We zoeken een rekenmethode om binnen een halve minuut een nieuwe planning te maken voor 80 medewerkers. Zelf schreven we regels, maar die leiden tot rare routes. In de herfst willen twee klanten het proberen.",
        "Voor een nieuwe lijn kindermeubels moet de lak krasvast zijn en zonder oplosmiddelen. Watergedragen lak van drie merken kraste te snel. Het hout is beuken, de oven haalt 70 graden. We hopen over een jaar te leveren.",
        "Wij repareren dijken en willen onder de grasmat zien waar het uitdroogt, voordat er scheuren komen. Sensoren in de grond gaan stuk door maaien; satellietbeelden zijn te grof. Resolutie van een meter is nodig. De eerste proef staat gepland op een dijk van 3 km, komende lente.",
    ],
    "en": [
        "Our bicycle frames warp when we weld thin-walled aluminium. We tried a lower speed and another wire, which did not help. The wall is 1.2 mm and deviation may be at most 0.3 mm. We want to choose before the summer, so that the new line starts in time.",
        "We make membranes for dairies. They foul within two weeks; rinsing with lye was tried but attacks the material. The temperature stays below 60 degrees. There is a prototype of a new module and we have to go on in March.",
        "Our customers in horticulture ask for an ammonia sensor. Existing solutions drift in humid air. It has to see 5 ppm and cost less than 40 euros. We are at TRL 4 and plan a field test this year.",
        "We build grippers for bakeries, meant for soft pastry. Suction and silicone fingers failed: the product tears. The cycle takes 0.8 seconds, and materials must comply with HACCP. The machine goes to the customer within six months.",
        "The gearboxes of our ship winches wear too early. Two oils were tested without result. They turn at 15 rpm in salt water and the housing must not grow. Our goal is a life of ten years; we decide on the design by the end of the year.",
        "We develop a socket that moves along, for patients with a leg prosthesis. Air cushions were tried and proved too slow. All of it should weigh no more than 900 g. A prototype exists and a clinical test starts in September.",
        "We want cameras to recognise bad welds so that fewer parts are looked at by hand. A standard package missed half of them when we tested it. There are only 20 faulty images and the decision has to fall within 2 seconds. Building starts next month.",
        "We supply heat pumps and our customers complain about a 120 Hz hum. Rubber feet hardly helped. The cabinet has to fit a footprint of 60 by 60 cm. A new version must be ready before Christmas.",
        "We produce packaging film and look for a compostable oxygen barrier, needed for cut vegetables. A starch coating did not work because of moisture. Thickness is at most 50 µm, and it must comply with EN 13432. We want to scale up in 2027.",
        "Our lithium cells age too fast in winter. So far we have preheated them, which costs too much power. They are used in delivery bikes, from minus 15 to 40 degrees. A rig is in place and the next series starts in January.",
        "We look for voids under roads with radar; the purpose is a warning before a hole opens. Drilling was an earlier attempt and too dear. The depth is at least 1.5 m. It is only an idea, but the council decides this spring.",
        "We grow peppers and want a robot to pick them, to be used in existing greenhouses. Three cameras were tested and saw nothing against the light. A fruit may take less than 6 seconds. The prototype drives already and has to pick in eight months.",
        "As a cheese maker we want to spot rind faults early, because we throw away too much now. Manual checks and a plain camera do not suffice. 1200 cheeses an hour pass in a cold, damp room. We would like to begin after the summer holidays.",
        "Our small wind turbine is too noisy for residential areas. Neither another tip nor a lower speed solved it. The blade is 2.4 metres long and has to survive a force 10 wind. Early in 2027 we apply for certification.",
        "We rent out tents and want cloth that stays clean without washing, for events where everything must be white. Two sprays from suppliers were gone after three set-ups. Cloth has to remain flame retardant, class M2. The season starts in April.",
        "Our home care routing software gets stuck when somebody falls ill. A method should give a new plan within half a minute for 80 employees. We wrote rules ourselves but these lead to odd routes. Two customers want to try it this fall.",
        "For a new line of children's furniture the lacquer must be scratch proof and solvent free. Water-based lacquers of three brands scratched too easily. The wood is beech and our oven reaches 70 degrees. We hope to deliver in a year.",
        "We repair dikes and want to see drought under the turf before cracks appear. Sensors in the soil break when mowing; satellite images are too coarse. One metre resolution is required. A first trial is planned on 3 km of dike next spring.",
    ],
}
TERSE = {
    "nl": [
        ("Dunwandig aluminium lassen zonder vervorming", "tried"),
        ("sensor voor ammoniak", "purpose"),
        ("Slijtage van tandwielen in zout water", "tried"),
        ("zelfherstellend beton", "purpose"),
        ("Onze lagers vallen uit", "tried"),
        ("robotgrijper voor natte vis", "purpose"),
        ("Waarom laat de lijm los?", "tried"),
        ("composteerbare folie", "purpose"),
        ("Trillingen in onze portaalarm", "tried"),
        ("beeldherkenning van rijpe paprika's", "purpose"),
        ("De pomp piept bij lage druk.", "tried"),
        ("waterstof opslaan in zout", "purpose"),
    ],
    "en": [
        ("Weld thin-walled aluminium without distortion", "tried"),
        ("ammonia sensor", "purpose"),
        ("Gear wear in salt water", "tried"),
        ("self-healing concrete", "purpose"),
        ("Our bearings fail", "tried"),
        ("robot gripper for wet fish", "purpose"),
        ("Why does the adhesive come off?", "tried"),
        ("compostable film", "purpose"),
        ("Vibrations of our gantry arm", "tried"),
        ("image recognition of ripe peppers", "purpose"),
        ("The pump squeaks at low pressure.", "tried"),
        ("storing hydrogen in salt", "purpose"),
    ],
}
ANSWERS = {
    "nl": {
        "purpose": "fietsframes",
        "tried": "een andere draad",
        "limits": "dun en licht",
        "stage": "na de vakantie",
        "kind": "een meting",
    },
    "en": {
        "purpose": "bicycle frames",
        "tried": "another wire",
        "limits": "thin and light",
        "stage": "after the holidays",
        "kind": "a measurement",
    },
}
BOTH = (Route(ProfileKind.RESEARCH_GROUP, 0.45), Route(ProfileKind.FACILITY, 0.41))


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language, texts in COMPLETE.items() for text in texts]
)
def test_a_complete_need_gets_no_question(language: str, text: str) -> None:
    assert questions(analyse(text, language)) == ()
    assert questions(analyse(text, language), BOTH) == ()


@pytest.mark.parametrize(
    ("language", "text", "first"),
    [(language, text, first) for language, texts in TERSE.items() for text, first in texts],
)
def test_a_terse_need_is_asked_the_most_telling_first(language: str, text: str, first: str) -> None:
    asked = questions(analyse(text, language))
    assert asked[0].code == first
    assert len(asked) == MAX_QUESTIONS
    assert not {question.code for question in asked} & answers(text, language)
    assert all(question.text.endswith("?") and question.help for question in asked)


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language, texts in TERSE.items() for text, _ in texts]
)
@pytest.mark.parametrize("answer", ["own", "example"])
def test_an_answer_removes_its_question(language: str, text: str, answer: str) -> None:
    left = set(CODES)
    for _ in range(3):
        asked = questions(analyse(text, language), BOTH)
        if not asked:
            break
        own, example = ANSWERS[language][asked[0].code], asked[0].help.partition(": ")[2]
        text = answered(text, asked[0].code, own if answer == "own" else example, language)
        again = {question.code for question in questions(analyse(text, language), BOTH)}
        assert asked[0].code not in again
        left -= answers(text, language)
    assert len(left) <= len(CODES) - 2


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_answer_leaves_nothing_to_ask(language: str) -> None:
    text = TERSE[language][0][0]
    for code in ("kind", *CODES):
        text = answered(text, code, ANSWERS[language][code], language)
    assert questions(analyse(text, language), BOTH) == ()


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("nl", "Dunwandig aluminium lassen zonder vervorming", "Wat hebt u al geprobeerd tegen vervorming"),
        ("en", "Weld thin-walled aluminium without distortion", "What have you tried against distortion"),
        ("nl", "Dunwandig aluminium lassen zonder vervorming", "Om wat voor aluminium gaat het"),
        ("en", "Weld thin-walled aluminium without distortion", "What kind of aluminium is it"),
        ("nl", "sensor voor ammoniak", "“sensor voor ammoniak”"),
    ],
)
def test_a_question_speaks_of_the_need(language: str, text: str, said: str) -> None:
    assert said in " ".join(question.text for question in questions(analyse(text, language)))


def test_an_unclear_kind_is_asked_first() -> None:
    text = "Breukvlakken van assen beoordelen"
    first = questions(analyse(text, "nl"), BOTH)[0]
    assert first.code == "kind"
    assert first.text == (
        "Zoekt u iemand die het uitzoekt, of een apparaat of ruimte om zelf te meten of te proberen?"
    )
    clear = (Route(ProfileKind.RESEARCH_GROUP, 0.8), Route(ProfileKind.FACILITY, 0.1))
    assert "kind" not in {question.code for question in questions(analyse(text, "nl"), clear)}


def test_who_wants_money_is_asked_for_the_amount_and_not_what_was_tried() -> None:
    money = (Route(ProfileKind.INSTRUMENT, 0.9), Route(ProfileKind.FACILITY, 0.05))
    asked = questions(analyse("Is there a grant for us?", "en"), money)
    assert [question.code for question in asked] == ["purpose", "limits", "stage"]
    assert "amount" in asked[1].text


def test_other_languages_are_asked_in_english() -> None:
    asked = questions(analyse("Aluminium schweißen ohne Verzug", "de"))
    assert asked[0].text.startswith("What")


@pytest.mark.parametrize(
    ("text", "code", "answer", "whole"),
    [
        (
            "Aluminium lassen zonder vervorming",
            "purpose",
            "fietsframes",
            "Aluminium lassen zonder vervorming. Waarvoor het is: fietsframes.",
        ),
        ("Aluminium lassen.", "limits", "hoogstens 1 mm", "Aluminium lassen. Hoogstens 1 mm."),
        ("Why does it leak?", "tried", "we tried glue!", "Why does it leak? We tried glue!"),
        ("We weld pipes", "stage", "  ", "We weld pipes"),
    ],
)
def test_the_whole_reads_on(text: str, code: str, answer: str, whole: str) -> None:
    language = "nl" if "lassen" in text else "en"
    assert answered(text, code, answer, language) == whole


def test_the_language_of_the_whole_is_detected() -> None:
    text = "Wij zoeken hulp bij het lassen van dun aluminium"
    assert "Waarvoor het is:" in answered(text, "purpose", "frames")


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a code of .* found 'colour'"):
        answered("x", "colour", "blue")


@given(st.text(min_size=1, max_size=200), st.sampled_from([*CODES, "kind"]), st.sampled_from(["nl", "en"]))
def test_any_answer_removes_its_question(answer: str, code: str, language: str) -> None:
    whole = answered("Dunwandig aluminium lassen", code, answer, language)
    assert code in answers(whole, language) or not answer.split()


def test_a_long_text_is_no_trouble() -> None:
    text = ("Onze machine draait en wij zoeken naar kennis over van alles en nog wat. " * 300)[:20_000]
    assert len(questions(analyse(text, "nl"))) <= MAX_QUESTIONS
