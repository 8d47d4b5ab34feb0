// What every page has: theme, list of keys, the proof that changes need, and faults as sentences.

export const csrf = document.querySelector('meta[name="csrf"]')?.content ?? "";

/** Tell the person a sentence, for some seconds. offer: what they may do about it, on a button. */
export function say(sentence, offer, act) {
  const told = document.createElement("p");
  told.textContent = sentence;
  if (offer) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = offer;
    button.addEventListener("click", () => {
      told.remove();
      Promise.resolve(act()).catch((wrong) => say(wrong.message));
    });
    told.append(" ", button);
  }
  document.getElementById("said").append(told);
  setTimeout(() => told.remove(), offer ? 20000 : 8000);
}

/** Ask the server for JSON; throws an Error with the sentence of the fault. */
export async function ask(address, options = {}) {
  const headers = { Accept: "application/json", "X-CSRF-Token": csrf, ...(options.headers ?? {}) };
  let body = options.body;
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  const answer = await fetch(address, { ...options, headers, body });
  if (!answer.ok) throw new Error(await fault(answer));
  return answer.status === 204 ? null : answer.json();
}

/** The sentence of an answer that is a fault. */
export async function fault(answer) {
  try {
    return (await answer.json()).fault;
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

/** Whether keys belong to something the person types into. */
export function typing(event) {
  const at = event.target;
  return (
    event.ctrlKey || event.metaKey || event.altKey ||
    at.isContentEditable ||
    at.matches?.("textarea, select, input:not([type=checkbox]):not([type=range]):not([type=radio])")
  );
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = csrf;
});
document.addEventListener("htmx:responseError", (event) => {
  let told = `The server answered ${event.detail.xhr.status}.`;
  try {
    told = JSON.parse(event.detail.xhr.responseText).fault ?? told;
  } catch { /* not JSON */ }
  say(told);
});
document.addEventListener("htmx:sendError", () => say("The server does not answer; is roomtone serve still running?"));

const keys = document.getElementById("keyhelp");
document.getElementById("keys").addEventListener("click", () => keys.showModal());
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "light" ? "dark" : "light";
  localStorage.setItem("theme", root.dataset.theme);
  document.dispatchEvent(new CustomEvent("theme"));
});
document.addEventListener("keydown", (event) => {
  if (typing(event) || keys.open) return;
  if (event.key === "?") keys.showModal();
  if (event.key === "/") {
    event.preventDefault();
    const box = document.getElementById("q");
    if (box) { box.focus(); box.select(); } else location.href = "/";
  }
});
