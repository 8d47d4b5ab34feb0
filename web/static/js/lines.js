// Lines as a list that is walked with the arrows.

export const all = () => [...document.querySelectorAll(".line")];

/** The line that has the focus, or holds what has it. */
export const current = () => document.activeElement?.closest?.(".line") ?? null;

/** Move the focus by some lines; from nowhere to the first. */
export function move(by) {
  const lines = all();
  const at = lines.indexOf(current());
  const next = lines[at < 0 ? 0 : Math.min(lines.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return next;
}

/** Mark the line that is heard, and no other. */
export function mark(line) {
  for (const other of document.querySelectorAll(".line.heard")) {
    if (other !== line) other.classList.remove("heard");
  }
  line?.classList.add("heard");
}
