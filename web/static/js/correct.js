// A line's words corrected in place; what was heard stays beside them.
import { ask, say } from "./page.js";

/** Let a person type what a line says. Enter keeps it, Escape does not, nothing takes it back. */
export function correct(line) {
  const text = line.querySelector(".text");
  if (text.querySelector("input")) return;
  const before = [...text.childNodes];
  const words = [...text.querySelectorAll(".word")].map((word) => word.textContent).join(" ");
  const box = document.createElement("input");
  box.className = "correction";
  box.maxLength = 2000;
  box.value = words;
  box.setAttribute("aria-label", "What the line says");
  const put = (nodes) => { text.replaceChildren(...nodes); line.focus(); };
  box.addEventListener("keydown", async (event) => {
    if (event.key === "Escape") put(before);
    if (event.key !== "Enter") return;
    const said = box.value.trim();
    if (said === words) return put(before);
    const address = `/api/v1/lines/${line.dataset.number}/correction`;
    try {
      const now = said
        ? await ask(address, { method: "PUT", body: { text: said } })
        : await ask(address, { method: "DELETE" });
      put(now.words.flatMap((word) => [shown(word), " "]));
      const mark = line.querySelector(".corrected");
      mark.hidden = !now.corrected_by;
      mark.title = `heard: ${now.heard_text}`;
      mark.querySelector(".by").textContent = now.corrected_by;
    } catch (wrong) {
      say(wrong.message);
      put(before);
    }
  });
  text.replaceChildren(box);
  box.focus();
  box.select();
}

function shown(word) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = word.confidence < 0.5 ? "word unsure" : "word";
  button.dataset.start = word.start;
  button.tabIndex = -1;
  button.textContent = word.text;
  return button;
}
