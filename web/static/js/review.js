// The review queue: hear each place, decide for its setup, all from the keyboard.
import { ask, say, typing } from "./page.js";
import { forget, hear, player, toggle } from "./excerpts.js";
import * as lines from "./lines.js";

const KEYS = { a: "approve", g: "gentler", b: "bypass", l: "lock", u: "undo" };

const setupOf = (node) => node?.closest?.(".setup") ?? null;

/** The place that a decision is about: the one with the focus, else the first of the setup. */
const placeIn = (setup) => {
  const line = lines.current();
  return setup.contains(line) ? line : setup.querySelector(".line");
};

async function decide(setup, what, note = "", amount = null) {
  const api = `/api/v1/review/${setup.dataset.setup}/decisions`;
  const only = setup.querySelector(".only")?.checked;
  const takes = only ? [placeIn(setup).dataset.take] : [];
  try {
    const now = what === "undo"
      ? await ask(`${api}/latest`, { method: "DELETE" })
      : await ask(api, { method: "POST", body: { what, takes, note, amount_db: amount } });
    await renew(setup);
    document.getElementById("now").textContent = `${now.name}: ${now.state}.`;
  } catch (wrong) {
    say(wrong.message);
  }
}

/** Gentler by the amount that stands in the box, where the person wrote another than is offered. */
function gentler(setup) {
  const box = setup.querySelector(".amount");
  const other = box.value !== "" && box.value !== box.dataset.offer;
  return decide(setup, "gentler", "", other ? Number(box.value) : null);
}

const act = (setup, what) => (what === "gentler" ? gentler(setup) : decide(setup, what));

/** Show a setup as it is now, with the focus where it was. */
async function renew(setup) {
  const answer = await fetch(`/review/${setup.dataset.setup}`);
  if (!answer.ok) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = document.importNode(page.querySelector(".setup"), true);
  const place = [...setup.querySelectorAll(".line")].indexOf(placeIn(setup));
  const only = setup.querySelector(".only")?.checked;
  for (const [state, by] of [[setup.dataset.state, -1], [fresh.dataset.state, 1]]) {
    const count = document.querySelector(`[data-count="${state}"]`);
    if (count) count.textContent = String(Number(count.textContent) + by);
  }
  setup.replaceWith(fresh);
  if (only && fresh.querySelector(".only")) fresh.querySelector(".only").checked = true;
  forget();
  fresh.querySelectorAll(".line")[Math.max(0, place)]?.focus();
}

/** Go to the next setup that waits, from the top again behind the last one. */
function next() {
  const waiting = [...document.querySelectorAll('.setup[data-state="waiting"]')];
  const here = setupOf(document.activeElement);
  const after = waiting.find(
    (one) => here && here !== one && here.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  const there = after ?? waiting[0];
  if (!there) return say("Nothing waits here any more.");
  there.querySelector(".line")?.focus();
  there.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-what]");
  if (button) act(setupOf(button), button.dataset.what);
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest(".remark");
  if (!form) return;
  event.preventDefault();
  const said = form.querySelector("input").value.trim();
  if (said) decide(setupOf(form), "comment", said);
});

document.addEventListener("keydown", (event) => {
  const setup = setupOf(event.target);
  if (setup && event.target.matches(".amount, .remark input")) {
    if (event.key === "Escape") placeIn(setup).focus();
    if (event.key === "Enter" && event.target.matches(".amount")) gentler(setup);
    return;
  }
  if (typing(event)) return;
  const line = lines.current();
  switch (event.key) {
    case "ArrowDown": event.preventDefault(); lines.move(1); break;
    case "ArrowUp": event.preventDefault(); lines.move(-1); break;
    case "ArrowLeft": player.seek(player.time - 2); break;
    case "ArrowRight": player.seek(player.time + 2); break;
    case "n": next(); break;
    case "Enter":
      if (line && event.target === line) location.href = line.closest(".held").querySelector("h3 a").href;
      break;
    case " ":
      if (event.target.matches("button, a, input")) return;
      event.preventDefault();
      if (line) hear(line); else toggle();
      break;
    default: key(event, setup);
  }
});

/** The keys that decide. */
function key(event, setup) {
  if (!"agbluctG".includes(event.key) || event.key.length !== 1 || event.repeat) return;
  if (!setup) return say("Choose a setup first: n goes to the next one.");
  const button = setup.querySelector(`[data-what="${KEYS[event.key]}"]`);
  if (button) return button.disabled ? say(refused(event.key)) : act(setup, KEYS[event.key]);
  const there = { c: ".remark input", t: ".only", G: ".amount" }[event.key];
  const box = setup.querySelector(there ?? "nothing");
  if (!box) return;
  event.preventDefault();
  if (event.key === "t") box.checked = !box.checked;
  else { box.focus(); box.select(); }
}

function refused(pressed) {
  return { a: "Nothing waits here to be approved.", g: "Say how many dB (G), or bypass it." }[pressed]
    ?? "There is nothing to undo.";
}
