// Runs: what is shown keeps itself up to date; the end of one is said, for those who look elsewhere.
import { say } from "./page.js";

const states = new Map();

function look(tell) {
  for (const run of document.querySelectorAll("[data-run]")) {
    const { run: number, state } = run.dataset;
    const before = states.get(number);
    if (tell && before && before !== state) say(`Run ${number} is ${state}.`);
    states.set(number, state);
  }
}

look(false);
document.addEventListener("htmx:afterSettle", () => look(true));
document.addEventListener("htmx:afterRequest", (event) => {
  // What was asked of one run is shown at once in the list of all.
  const { elt, successful } = event.detail;
  if (successful && elt.matches?.(".runs button")) document.body.dispatchEvent(new Event("runs"));
});
