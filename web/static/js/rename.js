// A speaker's name given in place. It holds in every line, so the page is shown anew, at its place.
import { ask, say } from "./page.js";

const KEPT = "decided";
const api = "/api/v1/speakers";

/** Let a person type who a speaker is. Enter keeps it, Escape does not. */
export function rename(button) {
  if (button.dataset.busy) return;
  button.dataset.busy = "yes";
  const before = button.textContent;
  const box = document.createElement("input");
  box.className = "naming";
  box.maxLength = 200;
  box.value = before;
  box.setAttribute("aria-label", `Who ${before} is`);
  const end = () => {
    delete button.dataset.busy;
    box.replaceWith(button);
    button.focus();
  };
  box.addEventListener("keydown", async (event) => {
    if (event.key === "Escape") end();
    if (event.key !== "Enter") return;
    const name = box.value.trim();
    if (!name || name === before) return end();
    try {
      await decided(Number(button.dataset.speaker), name);
    } catch (wrong) {
      say(wrong.message);
    }
    end();
  });
  button.replaceWith(box);
  box.focus();
  box.select();
}

async function decided(id, name) {
  const known = await ask(api);
  const own = known.find((one) => one.id === id);
  const other = known.find((one) => one.id !== id && one.production === own?.production && one.name === name);
  if (other) {
    return say(`${name} is another speaker here. Are ${own.name} and ${name} the same person?`, "They are one", () =>
      done(`${api}/${other.id}/merge`, "POST", { other: id }, own.production));
  }
  return done(`${api}/${id}`, "PATCH", { name }, own?.production ?? "");
}

async function done(address, method, body, production) {
  const told = await ask(address, { method, body });
  anew({ said: told.said, production });
}

/** Take back the last decision about a production's speakers. */
export async function takeBack(production) {
  try {
    const told = await ask(`${api}/undo`, { method: "POST", body: { production } });
    anew({ said: told.said });
  } catch (wrong) {
    say(wrong.message);
  }
}

function anew(kept) {
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
  document.dispatchEvent(new Event("anew"));
  location.reload();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.rename");
  if (button) rename(button);
});

const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
sessionStorage.removeItem(KEPT);
if (kept?.production !== undefined) say(kept.said, "Take it back", () => takeBack(kept.production));
else if (kept) say(kept.said);
