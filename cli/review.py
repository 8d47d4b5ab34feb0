"""`roomtone review`: what the gates sent to a person, and what the person decides."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from core.review import Review, ReviewKind, ReviewState
from core.words import some

if TYPE_CHECKING:
    from flows.review_queue import PlayedAt, ReviewItem, ReviewTake

app = typer.Typer(
    help="What the gates held back for a person: hear it, then approve it or ask for less.",
    invoke_without_command=True,
)

Number = Annotated[int, typer.Argument(min=1, help="The setup, as `roomtone review` lists it.")]
Takes = Annotated[
    list[str] | None,
    typer.Option("--take", help="Only this take of the setup; may be given again."),
]
Note = Annotated[str, typer.Option(help="Why; kept with the decision.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
MOST_PLACES = 6
_COLOURS = {
    ReviewState.WAITING: "yellow",
    ReviewState.DECIDED: "cyan",
    ReviewState.APPROVED: "green",
    ReviewState.PASSED: "green",
}


@app.callback()
def list_command(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was decided or approved.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what waits for a person, by scene and microphone."""
    if context.invoked_subcommand is not None:
        return
    from flows.review_queue import queue
    from flows.review_told import describe
    from flows.workspace import open_workspace

    with open_workspace(settings_for()) as work:
        found = queue(work, everything=everything)
    if as_json:
        print_json([describe(item) for item in found])
        return
    if not found:
        OUT.print(
            "Nothing was judged or decided yet."
            if everything
            else "Nothing waits for a person; --all shows what was decided."
        )
    for item in found:
        _headline(item)
        for take in item.waiting if item.state is ReviewState.WAITING else item.takes:
            _line(take)


@app.command("show")
def show_command(number: Number, as_json: AsJson = False) -> None:
    """Show a setup: what was measured, which cuts play it, and what was decided."""
    from flows.review import item_known
    from flows.workspace import open_workspace

    with open_workspace(settings_for()) as work:
        item = item_known(work, number)
    _tell(item, as_json)


@app.command("approve")
def approve_command(
    number: Number, take: Takes = None, note: Note = "", as_json: AsJson = False
) -> None:
    """Accept the cleaned sound as it is. Another recipe or engine asks again."""
    _decide(number, ReviewKind.APPROVE, take, note, as_json)


@app.command("gentler")
def gentler_command(
    number: Number,
    amount: Annotated[
        float | None,
        typer.Option(min=0, max=120, help="Attenuate at most so many dB."),
    ] = None,
    take: Takes = None,
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Take less: the gentler recipe, or where it has that, half the dB; later takes too."""
    _decide(number, ReviewKind.GENTLER, take, note, as_json, amount)


@app.command("bypass")
def bypass_command(
    number: Number, take: Takes = None, note: Note = "", as_json: AsJson = False
) -> None:
    """Leave the setup as it was recorded; later takes too."""
    _decide(number, ReviewKind.BYPASS, take, note, as_json)


@app.command("lock")
def lock_command(
    number: Number, take: Takes = None, note: Note = "", as_json: AsJson = False
) -> None:
    """Accept the cleaned sound and keep it, whatever recipe or engine comes later."""
    _decide(number, ReviewKind.LOCK, take, note, as_json)


@app.command("comment")
def comment_command(
    number: Number,
    text: Annotated[str, typer.Argument(help="What is to be said.")],
    take: Takes = None,
    as_json: AsJson = False,
) -> None:
    """Say something about a setup. It decides nothing."""
    _decide(number, ReviewKind.COMMENT, take, text, as_json)


@app.command("undo")
def undo_command(
    number: Number,
    decision: Annotated[
        int | None, typer.Option(min=1, help="Which one, as `show` numbers them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take back the latest decision or comment."""
    from flows.review import undo_decision
    from flows.workspace import open_workspace

    with open_workspace(settings_for()) as work:
        item = undo_decision(work, number, getpass.getuser(), decision)
    _tell(item, as_json)


def _decide(
    number: int,
    kind: ReviewKind,
    takes: list[str] | None,
    text: str,
    as_json: bool,
    amount: float | None = None,
) -> None:
    from flows.review import decide_review
    from flows.workspace import open_workspace

    with open_workspace(settings_for()) as work:
        item = decide_review(
            work, number, kind, getpass.getuser(), takes=takes or (), amount_db=amount, text=text
        )
    _tell(item, as_json)


def _tell(item: ReviewItem, as_json: bool) -> None:
    """A setup with all that is known of it."""
    if as_json:
        from flows.review_told import describe

        print_json(describe(item))
        return
    _headline(item)
    for take in item.takes:
        _line(take)
        for one in take.held:
            OUT.print(f"       {one.gate.meaning}", markup=False, style="dim")
        for at in take.played[:MOST_PLACES]:
            OUT.print(f"       {_place(at)}", markup=False)
        if len(take.played) > MOST_PLACES:
            OUT.print(f"       and {len(take.played) - MOST_PLACES} more places")
    for review in item.reviews:
        OUT.print(f"  {_review(item, review)}", markup=False)


def _headline(item: ReviewItem) -> None:
    colour = _COLOURS[item.state]
    project = f"  [dim]{escape(item.setup.project)}[/dim]" if item.setup.project else ""
    OUT.print(
        f"[bold]{item.number:>4}[/bold] [bold]{escape(item.setup.name)}[/bold]  "
        f"[{colour}]{item.state.value}[/{colour}]{project}"
    )


def _line(take: ReviewTake) -> None:
    """A take: how it stands, what was measured, how it is cleaned."""
    colour = _COLOURS[take.state]
    parts = list(take.measured)
    if take.accepted is not None and take.held:
        parts.append(f"{take.accepted.words} {take.accepted.who_when}")
    if take.state is ReviewState.DECIDED:
        parts.append(
            "cleaned anew at the next run"
            + (f": {take.ruled.words}" if take.ruled is not None else "")
        )
    places = some([f"{at.cut} {at.event} {at.start}" for at in take.played], 1)
    parts += [f"in {places}"] if places else ["in no cut"]
    OUT.print(
        f"     [{colour}]{take.state.value:<9}[/{colour}] {escape(take.take.name)}  "
        f"{escape('; '.join(parts))}  [dim]({escape(take.recipe)})[/dim]"
    )


def _place(at: PlayedAt) -> str:
    other = "  (delivered with another cleaning)" if at.other else ""
    return f"{at.start} - {at.end}  {at.cut}  {at.event}{other}"


def _review(item: ReviewItem, review: Review) -> str:
    """A decision or comment: `#7 2026-11-27 19:04 mk: approved (fine)`."""
    names = {(t.judged.essence, t.judged.channels): t.take.name for t in item.takes}
    about = [names.get((take.essence, take.channels), "?") for take in review.takes]
    only = "" if review.whole else f" for {some(about)}"
    undone = f"  undone by {review.undone_by}" if not review.in_force else ""
    said = review.text if review.kind is ReviewKind.COMMENT else review.words
    why = f" ({review.text})" if review.text and review.kind is not ReviewKind.COMMENT else ""
    when = review.at[:16].replace("T", " ")
    return f"#{review.number} {when} {review.by}: {said}{only}{why}{undone}"
