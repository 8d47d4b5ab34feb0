"""Words that simulated scripts are made of, and that a recogniser may take them for."""

from __future__ import annotations


def _words(text: str, between: str | None = None) -> tuple[str, ...]:
    return tuple(text.split(between))


SUBJECTS = _words("I you we they nobody everyone somebody my-brother your-father the-captain")
VERBS = _words(
    "saw found left took carried broke sold remember forgot kept followed painted opened buried "
    "wanted needed heard stole burned promised counted finished started watched believed"
)
ADJECTIVES = _words(
    "old red broken quiet empty second little heavy yellow frozen stolen honest crooked silver "
    "narrow bitter lonely perfect borrowed wooden southern hollow"
)
NOUNS = _words(
    "boat letter window river station money garden mirror ticket photograph hammer suitcase "
    "engine piano blanket doctor judge tunnel bridge candle kitchen engine jacket orchard "
    "telephone ladder market island hotel lantern church harbor wagon needle ribbon"
)
PLACES = _words(
    "by-the-river in-the-morning before-midnight after-the-war on-the-roof behind-the-church "
    "at-the-station under-the-bridge last-winter without-a-word for-nothing in-the-rain "
    "with-both-hands next-to-the-piano all-night-long every-single-day when-it-was-dark"
)
OPENINGS = _words(
    "well listen look please no yes maybe honestly tomorrow tonight you-know-what "
    "I-told-you do-not-ask what-if how-many-times"
)
SHORT = _words(
    "yes|no|not tonight|come here|what did you say|stop it|I know|never mind|good morning|"
    "leave me alone|where is she|who told you that|thank you|let us go home",
    "|",
)
MORE = (
    "a about again against and any arm art ask bad bag bed bell best big bit black blow blue boot "
    "born both bread bring bug built but buy call came can cap car card care case cat chair cheap "
    "child clean clear close coat cold cook cool cost could cry cup cut dear deep did door down "
    "draw dress drive drop dry each ear eat end eye face fair fall far fast feel feet few fight "
    "fill find fire fish fit five floor fly food foot for four free from full game gave get girl "
    "give glass go gold good gone great green ground grow hair half hand hard hat have head hear "
    "heart heat here high him his hold home hope hot hour house how ice in it its job just keep "
    "key kid kill kind king lady lake land large late laugh law lay lead learn leave leg less let "
    "lie life light like line list live long lose lost loud love low luck made mail main make man "
    "many map mark matter mean meat men mile milk mind mine miss moon more most mother move much "
    "must name near neck never new nice night nine north nose note now of off one only other our "
    "out over own page pain pair park part pass past pay pen people pick piece place plan play "
    "point poor press price pull push put race rain raise reach read real rest rich ride right "
    "ring rise road rock roll room round rule run sad safe said sail salt same sand save say sea "
    "seat seem seen send set seven shall shape share sharp she ship shoe shop shore should shout "
    "show sick side sign sing sit six size skin sky sleep slow small smell smile snow so soft some "
    "son song soon sort sound south space speak spend spoke spring stand star stay steel step "
    "still stone street strong such sun sure table tail take talk tall taste teach tell ten test "
    "than that them then there these thick thin thing think this those three through throw time "
    "to today told too top touch town trade train tree true try turn two under until up us use "
    "very voice wait walk wall war warm wash watch water way wear week well went were west wet "
    "what wheel where which white whole why wide wife wild will wind wish with wood word work "
    "world worn would write wrong year young your"
)
