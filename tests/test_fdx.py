"""A Final Draft script becomes the speeches that are in it, whatever else the file holds."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.scripts.fdx import read
from bench.injuries import injured
from core.errors import InputError, RoomtoneError
from core.script import Prose, ProseKind, SceneHeading, Script, Speech, script_lines

SCRIPT = """<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<FinalDraft DocumentType="Script" Template="No" Version="5">
 <Content>
  <Paragraph Number="12A" Type="Scene Heading">
   <SceneProperties Length="2/8" Page="1" Title=""><Summary><Paragraph><Text>No.</Text></Paragraph>
   </Summary></SceneProperties>
   <Text>INT. HOUSE - DAY</Text>
  </Paragraph>
  <Paragraph Type="Action"><Text>She waits.</Text></Paragraph>
  <Paragraph Type="Character"><Text>ANNA (V.O.)</Text></Paragraph>
  <Paragraph Type="Parenthetical"><Text>(low)</Text></Paragraph>
  <Paragraph Type="Dialogue"><ScriptNote><Paragraph><Text>Note.</Text></Paragraph></ScriptNote>
   <Text>Salt</Text><Text RevisionID="1"> </Text><Text Style="Bold">&amp; pepper,</Text>
   <Text Style="Strikeout+Bold"> gone</Text><Text> please.</Text></Paragraph>
  <Paragraph>
   <DualDialogue>
    <Paragraph Type="Character"><Text>BEN</Text></Paragraph>
    <Paragraph Type="Dialogue"><Text>Wait!</Text></Paragraph>
    <Paragraph Type="Character"><Text>ANNA</Text></Paragraph>
    <Paragraph Type="Dialogue"><Text>Go!</Text></Paragraph>
   </DualDialogue>
  </Paragraph>
  <Paragraph Number="13" Type="Scene Heading"><Text>OMITTED</Text>
   <OmittedScene><Paragraph Type="Character"><Text>BEN</Text></Paragraph></OmittedScene>
  </Paragraph>
  <Paragraph Type="Teaser Card"><Text>Later</Text></Paragraph>
  <Paragraph Type="Dialogue"><Text>Nobody says this.</Text></Paragraph>
 </Content>
 <TitlePage><Content><Paragraph><Text/></Paragraph>
  <Paragraph><Text>SALT</Text></Paragraph><Paragraph><Text>by M.</Text></Paragraph>
 </Content></TitlePage>
</FinalDraft>
"""


def script_in(folder: Path, text: str | bytes) -> Script:
    path = folder / "a.fdx"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path)


def test_every_paragraph_is_what_its_type_says(tmp_path: Path) -> None:
    script = script_in(tmp_path, SCRIPT)
    assert script.title == "SALT"
    assert [
        (line.scene, line.character, line.extension, line.text, line.dual)
        for line in script_lines(script)
    ] == [
        ("12A", "ANNA", "V.O.", "Salt & pepper, please.", False),
        ("12A", "BEN", "", "Wait!", False),
        ("12A", "ANNA", "", "Go!", True),
    ]
    assert [e.text for e in script.elements if isinstance(e, SceneHeading)] == [
        "INT. HOUSE - DAY",
        "OMITTED",
    ]
    prose = [(e.kind, e.text) for e in script.elements if isinstance(e, Prose)]
    assert prose == [
        (ProseKind.ACTION, "She waits."),
        (ProseKind.OTHER, "Later"),
        (ProseKind.OTHER, "Nobody says this."),
    ]
    assert len(script.warnings) == 3  # a type, a run struck out, a line without a character


def test_entities_and_other_documents_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><FinalDraft><Content/></FinalDraft>'
    for text in (bomb, "<xmeml/>", "<FinalDraft/>", "INT. HOUSE", "<FinalDraft><Content>"):
        with pytest.raises(InputError, match=r"a\.fdx"):
            script_in(tmp_path, text)


WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=5), min_size=1, max_size=5))
def test_runs_that_are_written_are_read_again(
    tmp_path_factory: pytest.TempPathFactory, speeches: list[list[str]]
) -> None:
    body = "".join(
        '<Paragraph Type="Character"><Text>ANNA</Text></Paragraph><Paragraph Type="Dialogue">'
        + "<Text> </Text>".join(f"<Text>{escape(word)}</Text>" for word in words)
        + "</Paragraph>"
        for words in speeches
    )
    script = script_in(
        tmp_path_factory.mktemp("fdx"), f"<FinalDraft><Content>{body}</Content></FinalDraft>"
    )
    said = [element.text for element in script.elements if isinstance(element, Speech)]
    assert said == [" ".join(words) for words in speeches]


def test_no_injured_script_breaks_the_reader(tmp_path: Path) -> None:
    whole = 0
    for data in injured(SCRIPT.encode(), 500):
        try:
            script_lines(script_in(tmp_path, data))
            whole += 1
        except RoomtoneError:
            continue
    assert whole > 30


def test_a_script_of_more_elements_than_a_script_has_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.scripts.fdx._MOST_ELEMENTS", 50)
    path = tmp_path / "long.fdx"
    path.write_text(f"<FinalDraft><Content>{'<Paragraph/>' * 50}</Content></FinalDraft>")
    with pytest.raises(InputError, match=r"long\.fdx .* more than 50 elements"):
        read(path)
