// A cut: its tracks as a picture, each place heard raw, cleaned or removed, and what changed.
import { ask, say, typing } from "./page.js";
import { bar } from "./player.js";
import { Tracks } from "./tracks.js";

const root = document.getElementById("cut");
const tracks = new Tracks(root);
const player = bar(typing);
const where = document.getElementById("where");
const api = `/api/v1/cuts/${root.dataset.cut}`;
const rate = Number(root.dataset.rate);
const head = Number(root.dataset.head);
const AFTER_PX = 1.6;
let loaded = null;

/** The sound that goes with what is chosen: of its track, or of all dialogue. */
function wanted() {
  if (document.getElementById("heard").value === "all") {
    return { address: `${api}/audio`, channels: 2, name: "all dialogue" };
  }
  const track = tracks.chosen?.track ?? tracks.groups.findIndex((group) => group.dataset.sound);
  const group = tracks.groups[track];
  if (!group?.dataset.sound) return null;
  return {
    address: `${api}/tracks/${track}/audio`,
    channels: group.dataset.cleaned ? 2 : 1,
    name: group.getAttribute("aria-label"),
  };
}

function load(sound) {
  if (loaded?.address === sound.address) return;
  loaded = sound;
  document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.target.id === "changes") event.detail.target.replaceChildren();
});

document.getElementById("player").hidden = false;
  document.getElementById("playing").textContent = sound.name;
  document.getElementById("matched").textContent = sound.channels === 1 ? "not cleaned" : "as delivered";
  player.load(sound.address, sound.channels, 0);
  player.seek((head + tracks.at) / rate);
}

async function play() {
  if (player.playing) return player.pause();
  const sound = wanted();
  if (!sound) return say("There is no stem here to be heard.");
  load(sound);
  try {
    await player.play();
  } catch {
    const answer = await fetch(sound.address, { headers: { Range: "bytes=0-0" } });
    say(answer.ok ? "This browser does not play it." : (await answer.json()).fault);
    loaded = null;
  }
}

function heard() {
  const sample = player.time * rate - head;
  tracks.show(Math.max(0, sample));
  where.textContent = tracks.timecode(tracks.at);
}

player.addEventListener("timeupdate", heard);
player.addEventListener("seeked", heard);
(function follow() {
  if (player.playing) {
    heard();
    tracks.reveal();
  }
  requestAnimationFrame(follow);
})();

tracks.addEventListener("seek", () => {
  where.textContent = tracks.timecode(tracks.at);
  if (loaded) player.seek((head + tracks.at) / rate);
});
tracks.addEventListener("choose", () => {
  facts(tracks.chosen.element.dataset);
  const sound = wanted();
  if (!loaded || !sound || loaded.stem) return;
  const playing = player.playing;
  load(sound);
  if (playing) player.play();
});
document.getElementById("heard").addEventListener("change", () => {
  const sound = loaded && wanted();
  if (!sound) return;
  const playing = player.playing;
  load(sound);
  if (playing) player.play();
});

/** What is known of an event, as pairs. */
function facts(data) {
  const shown = [
    ["", data.id], ["record", `${data.in} – ${data.out}`], ["state", data.state + (data.why ? ` (${data.why})` : "")],
    ["speaks", data.speakers], ["take", data.take ? link(data) : ""], ["scene", data.scene], ["decided", data.decided],
    ["review", data.setup ? review(data.setup) : ""],
  ].filter(([, value]) => value);
  const list = document.getElementById("event-facts");
  list.replaceChildren(...shown.map(([name, value]) => {
    const pair = document.createElement("div");
    const [term, told] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name || "event";
    told.append(value);
    if (name === "record") told.className = "tc";
    if (name === "state" && ["flagged", "offline"].includes(data.state)) told.className = "failed";
    pair.append(term, told);
    return pair;
  }));
  list.hidden = false;
  document.getElementById("event-none").hidden = true;
}

/** The page of an event's take, at the place that the picture is at. */
function takeAt(data) {
  const [start, end, from, to] = [data.start, data.end, data.from, data.to].map(Number);
  const share = Math.max(0, Math.min(1, (tracks.at - start) / Math.max(1, end - start)));
  return `/takes/${data.take}?channel=${data.channel}#at=${Math.round(from + share * (to - from))}`;
}

function review(setup) {
  const to = document.createElement("a");
  to.href = `/review/${setup}`;
  to.textContent = "its setup";
  return to;
}

function link(data) {
  const to = document.createElement("a");
  to.href = takeAt(data);
  to.textContent = data.name;
  to.addEventListener("click", () => { to.href = takeAt(data); });
  return to;
}

/** Measure every stem, one after the other. */
async function measure(button) {
  button.disabled = true;
  try {
    for (const cell of document.querySelectorAll("td.lufs")) {
      cell.textContent = "…";
      const told = await ask(`${api}/stems/${cell.dataset.number}/loudness`);
      cell.textContent = told.lufs === null ? "silent" : told.lufs.toFixed(1).replace("-", "−");
      cell.title = told.dbtp === null ? "" : `true peak ${told.dbtp.toFixed(1).replace("-", "−")} dBTP`;
    }
  } catch (wrong) {
    say(wrong.message);
    button.disabled = false;
  }
}

document.getElementById("clean")?.addEventListener("click", async (event) => {
  event.target.disabled = true;
  try {
    const asked = await ask(`${api}/clean`, { method: "POST" });
    location.href = `/runs/${asked.id}`;
  } catch (wrong) {
    say(wrong.message);
    event.target.disabled = false;
  }
});
document.getElementById("measure")?.addEventListener("click", (event) => measure(event.target));

const needsPerson = (event) => ["flagged", "offline"].includes(event.element.dataset.state);

function go(event) {
  if (!event) return false;
  tracks.choose(event);
  tracks.reel.focus({ preventScroll: true });
  tracks.reel.scrollIntoView({ block: "nearest" });
  return true;
}

document.addEventListener("click", (event) => {
  const state = event.target.closest("[data-state].chip");
  const zoom = event.target.closest("[data-zoom]");
  const stem = event.target.closest("button.stem");
  const change = event.target.closest("button.go");
  if (state) go(tracks.next((one) => one.element.dataset.state === state.dataset.state));
  if (zoom) tracks.zoom({ in: tracks.scale * AFTER_PX, out: tracks.scale / AFTER_PX, fit: 1 }[zoom.dataset.zoom]);
  if (change) go(tracks.all.find((one) => one.element.dataset.id === change.dataset.event));
  if (stem) {
    const address = `${api}/stems/${stem.dataset.number}/audio`;
    if (loaded?.address === address) return player.toggle();
    load({ address, channels: 1, name: stem.dataset.name, stem: true });
    player.play().catch(() => say("This stem can't be heard here; save it."));
  }
});

document.addEventListener("keydown", (event) => {
  if (typing(event) || document.querySelector("dialog[open]")) return;
  const inPicture = event.target === tracks.reel || event.target === document.body || event.target.id === "main";
  switch (event.key) {
    case "ArrowLeft": case "ArrowRight": case "ArrowUp": case "ArrowDown":
      if (!inPicture) return;
      event.preventDefault();
      if (event.key === "ArrowLeft") tracks.move(-1);
      else if (event.key === "ArrowRight") tracks.move(1);
      else tracks.cross(event.key === "ArrowUp" ? -1 : 1);
      break;
    case "Enter":
      if (inPicture && tracks.chosen?.element.dataset.take) location.href = takeAt(tracks.chosen.element.dataset);
      break;
    case " ":
      if (event.target.matches("button, a, select, input")) return;
      event.preventDefault();
      play();
      break;
    case "n":
      if (!go(tracks.next(needsPerson))) say("No event of this cut waits for a person.");
      break;
    case "+": case "=": tracks.zoom(tracks.scale * AFTER_PX); break;
    case "-": tracks.zoom(tracks.scale / AFTER_PX); break;
    case "f": tracks.zoom(1); break;
  }
});

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.target.id === "changes") event.detail.target.replaceChildren();
});

document.getElementById("player").hidden = root.dataset.state !== "delivered";
document.getElementById("play").addEventListener("click", (event) => {
  // Before anything is loaded the bar's own button has nothing to play.
  if (!loaded) { event.stopImmediatePropagation(); play(); }
}, { capture: true });
where.textContent = tracks.timecode(0);
