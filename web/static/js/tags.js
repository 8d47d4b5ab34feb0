// The tags of a take, put on and taken off in place.
import { ask, say } from "./page.js";

const root = document.getElementById("tags");
const form = document.getElementById("tagging");
const address = `/api/v1/takes/${document.getElementById("take").dataset.take}/tags`;

async function change(body) {
  try {
    show(await ask(address, { method: "POST", body }));
    return true;
  } catch (wrong) {
    say(wrong.message);
    return false;
  }
}

function show(tags) {
  root.querySelector("ul").replaceChildren(...tags.map((tag) => {
    const item = document.createElement("li");
    item.className = "tag";
    item.dataset.tag = tag;
    const off = document.createElement("button");
    off.type = "button";
    off.className = "quiet off";
    off.textContent = "×";
    off.setAttribute("aria-label", `Take the tag ${tag} off`);
    item.append(tag, " ", off);
    return item;
  }));
}

if (form) form.elements.tag.disabled = false;
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const box = form.elements.tag;
  if (box.value.trim() && (await change({ on: [box.value], off: [] }))) box.value = "";
  box.focus();
});
root?.addEventListener("click", (event) => {
  const off = event.target.closest(".off");
  if (off) change({ on: [], off: [off.closest(".tag").dataset.tag] }).then(() => form?.elements.tag.focus());
});
