// A take: its waveform, its lines, and its sound raw, cleaned or removed at the same position.
import WaveSurfer from "../vendor/wavesurfer.esm.js";
import { ask, say, typing } from "./page.js";
import { correct } from "./correct.js";
import "./tags.js";
import { bar } from "./player.js";
import { rename } from "./rename.js";
import * as lines from "./lines.js";
import { origin, timecode } from "./timecode.js";

const take = document.getElementById("take");
const rate = Number(take.dataset.rate);
const from0 = origin(take.dataset);
const player = bar(typing);
const where = document.getElementById("where");
const note = document.getElementById("sound-note");
const picture = document.getElementById("spectrogram");
const seek = document.getElementById("seek");
const KINDS = ["raw", "cleaned", "removed"];
const api = `/api/v1/takes/${take.dataset.take}`;
let wave = null;
let shapes = null;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

async function open(channel) {
  note.textContent = "Preparing the sound …";
  let sound;
  try {
    sound = await made(channel);
    shapes = await ask(`${api}/peaks?channel=${channel}&points=3000`);
  } catch (wrong) {
    note.textContent = wrong.message;
    return;
  }
  document.getElementById("player").hidden = false;
  document.getElementById("playing").textContent = take.dataset.name;
  player.load(sound.url, sound.channels, sound.gain_db);
  const matched = `level-matched ${sound.gain_db >= 0 ? "+" : "−"}${Math.abs(sound.gain_db).toFixed(1)} dB`;
  note.textContent = sound.channels === 1 ? "Not cleaned yet: only the original is heard." : `${sound.engine}, ${sound.recipe}. ${sound.note}`;
  document.getElementById("matched").textContent = sound.channels === 1 ? "" : matched;
  seek.disabled = false;
  draw(channel);
}

/** How the listening copy is played, once it is made; says how far it is every tenth. */
async function made(channel) {
  for (;;) {
    const sound = await ask(`${api}/sound?channel=${channel}&wait=false`);
    if (sound.ready) return sound;
    const tenths = Math.floor(10 * sound.progress);
    const told = `Preparing the sound …${tenths ? ` ${10 * tenths} %` : ""}`;
    if (note.textContent !== told) note.textContent = told;
    await new Promise((go) => setTimeout(go, 300));
  }
}

function draw(channel) {
  const at = Math.max(0, shapes.kinds.indexOf(player.version));
  wave?.destroy();
  wave = WaveSurfer.create({
    container: "#wave", media: player.audio, height: 88, normalize: false,
    peaks: [shapes.peaks[at]], duration: Number(take.dataset.frames) / rate,
    waveColor: colour("--wave"), progressColor: colour("--wave-done"), cursorColor: colour("--text"),
    cspNonce: document.querySelector('meta[name="nonce"]').content,
  });
  wave.on("interaction", () => show());
  picture.src = `${api}/spectrogram?channel=${channel}&kind=${shapes.kinds[at]}&width=1200&height=140`;
  picture.alt = `Spectrogram of the ${shapes.kinds[at]} sound, 0 to 20 kHz`;
  picture.hidden = false;
}

function show() {
  const sample = player.time * rate;
  where.textContent = timecode(Math.round(sample), rate, from0);
  if (!seek.matches(":active")) seek.value = String(Math.round(sample));
  seek.setAttribute("aria-valuetext", where.textContent);
  const heard = lines.all().find((line) => sample >= Number(line.dataset.start) && sample < Number(line.dataset.end));
  lines.mark(heard ?? null);
  for (const word of document.querySelectorAll(".word.now")) word.classList.remove("now");
  if (heard) {
    const words = [...heard.querySelectorAll(".word")].filter((word) => Number(word.dataset.start) <= sample);
    words.at(-1)?.classList.add("now");
  }
}

async function from(sample) {
  if (!take.dataset.online) return say("The media of this take are offline, so it can't be heard.");
  player.seek(sample / rate);
  await player.play();
  show();
}

// A page that is shown anew opens where it was.
document.addEventListener("anew", () => history.replaceState(null, "", `#at=${Math.round(player.time * rate)}`));
player.addEventListener("timeupdate", show);
player.addEventListener("seeked", show);
player.addEventListener("version", () => { if (shapes) draw(channelNow()); });
seek?.addEventListener("input", () => player.seek(Number(seek.value) / rate));
document.addEventListener("theme", () => { if (shapes) draw(channelNow()); });

const choice = document.getElementById("channel");
const channelNow = () => Number(choice?.value ?? take.dataset.channel);
choice?.addEventListener("change", () => { location.search = `?channel=${choice.value}`; });

document.addEventListener("click", (event) => {
  const word = event.target.closest(".word, .at");
  const button = event.target.closest(".hear");
  const edit = event.target.closest(".edit");
  if (edit) correct(edit.closest(".line"));
  else if (word) from(Number(word.dataset.start));
  else if (button) {
    const line = button.closest(".line");
    line.focus();
    from(Number(line.dataset.start));
  }
});

document.addEventListener("keydown", (event) => {
  if (typing(event)) return;
  const line = lines.current();
  const ranged = event.target === seek;
  switch (event.key) {
    case "ArrowDown": if (!ranged) { event.preventDefault(); lines.move(1); } break;
    case "ArrowUp": if (!ranged) { event.preventDefault(); lines.move(-1); } break;
    case "ArrowLeft": event.preventDefault(); player.seek(player.time - 2); break;
    case "ArrowRight": event.preventDefault(); player.seek(player.time + 2); break;
    case "e": if (line?.querySelector(".edit")) { event.preventDefault(); correct(line); } break;
    case "r": if (line?.querySelector(".rename")) { event.preventDefault(); rename(line.querySelector(".rename")); } break;
    case "Enter": if (line && event.target === line) from(Number(line.dataset.start)); break;
    case " ":
      if (event.target.matches("button, a")) return;
      event.preventDefault();
      player.toggle();
      break;
  }
});

if (take.dataset.online) {
  const asked = /^#at=(\d+)$/.exec(location.hash);
  open(channelNow()).then(() => {
    if (!asked) return;
    player.seek(Number(asked[1]) / rate);
    const sample = Number(asked[1]);
    const line = lines.all().find((one) => sample >= Number(one.dataset.start) && sample < Number(one.dataset.end));
    line?.scrollIntoView({ block: "center" });
    line?.focus();
    show();
  });
}
