// The speakers of a production: heard by an example, named in place.
import { typing } from "./page.js";
import { hear, player, toggle } from "./excerpts.js";
import * as lines from "./lines.js";
import { rename, takeBack } from "./rename.js";

document.addEventListener("click", (event) => {
  const back = event.target.closest("button.back");
  if (back) takeBack(back.dataset.production);
});

document.addEventListener("keydown", (event) => {
  if (typing(event)) return;
  const line = lines.current();
  switch (event.key) {
    case "ArrowDown": event.preventDefault(); lines.move(1); break;
    case "ArrowUp": event.preventDefault(); lines.move(-1); break;
    case "ArrowLeft": player.seek(player.time - 2); break;
    case "ArrowRight": player.seek(player.time + 2); break;
    case "r": {
      const button = line?.querySelector("button.rename");
      if (button) { event.preventDefault(); rename(button); }
      break;
    }
    case "Enter":
      if (line && event.target === line && line.dataset.take) location.href = line.querySelector("a").href;
      break;
    case " ":
      if (event.target.matches("button, a, input")) return;
      event.preventDefault();
      if (line?.dataset.take) hear(line); else toggle();
      break;
  }
});
