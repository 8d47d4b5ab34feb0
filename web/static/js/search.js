// The search page: walk the hits, hear each as it was, as it is and what was taken.
import { typing } from "./page.js";
import { forget, hear, player, toggle } from "./excerpts.js";
import * as lines from "./lines.js";

document.addEventListener("htmx:afterSwap", forget);

document.addEventListener("keydown", (event) => {
  const box = document.getElementById("q");
  if (event.target === box) {
    if (event.key === "ArrowDown") { event.preventDefault(); lines.move(0); }
    if (event.key === "Escape") box.blur();
    return;
  }
  if (typing(event)) return;
  const line = lines.current();
  switch (event.key) {
    case "ArrowDown": event.preventDefault(); lines.move(1); break;
    case "ArrowUp":
      event.preventDefault();
      if (line && lines.all()[0] === line) box.focus(); else lines.move(-1);
      break;
    case "ArrowLeft": player.seek(player.time - 2); break;
    case "ArrowRight": player.seek(player.time + 2); break;
    case "Enter":
      if (line && event.target === line) location.href = line.querySelector("a.tc").href;
      break;
    case " ":
      if (event.target.matches("button, a, input")) return;
      event.preventDefault();
      if (line) hear(line); else toggle();
      break;
  }
});
