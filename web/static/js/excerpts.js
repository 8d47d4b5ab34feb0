// Lines heard where they stand: an excerpt of the take, raw, cleaned or removed.
import { fault, say, typing } from "./page.js";
import { bar } from "./player.js";
import * as lines from "./lines.js";
import { origin, timecode } from "./timecode.js";

const BEFORE_S = 0.4;
const AFTER_S = 0.6;

export const player = bar(typing);
const root = document.getElementById("player");
const where = document.getElementById("where");
const title = document.getElementById("playing");
const matched = document.getElementById("matched");
let loaded = null;
let address = null;
let begins = 0;

/** Hear a line from a moment before it; the one that is heard already goes on or stops. */
export async function hear(line) {
  if (loaded === line && player.audio.src) return player.toggle();
  const rate = Number(line.dataset.rate);
  const start = Math.max(0, Number(line.dataset.start) - Math.round(BEFORE_S * rate));
  const end = Number(line.dataset.end) + Math.round(AFTER_S * rate);
  begins = start;
  lines.mark(line);
  loaded = line;
  root.hidden = false;
  title.textContent = line.dataset.title;
  matched.textContent = "preparing the sound …";
  const asked = new URLSearchParams({ start, end });
  // A row may be about a certain microphone and a certain cleaned sound.
  for (const name of ["channel", "key"]) {
    if (line.dataset[name]) asked.set(name, line.dataset[name]);
  }
  const answer = await fetch(`/api/v1/takes/${line.dataset.take}/excerpt?${asked}`);
  if (!answer.ok) {
    loaded = null;
    matched.textContent = "";
    return say(await fault(answer));
  }
  const sound = await answer.blob();
  if (loaded !== line) return;
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(sound);
  const channels = Number(answer.headers.get("X-Roomtone-Channels"));
  const gain = Number(answer.headers.get("X-Roomtone-Gain-Db"));
  player.load(address, channels, gain);
  matched.textContent = channels === 1 ? "not cleaned yet" : `level-matched ${gain >= 0 ? "+" : "−"}${Math.abs(gain).toFixed(1)} dB`;
  await player.play();
}

/** Play or pause what is loaded, if anything is. */
export function toggle() {
  if (loaded) player.toggle();
}

/** The lines on the page are others now. */
export function forget() {
  loaded = null;
}

player.addEventListener("timeupdate", () => {
  if (!loaded) return;
  const rate = Number(loaded.dataset.rate);
  where.textContent = timecode(begins + Math.round(player.time * rate), rate, origin(loaded.dataset));
});

document.addEventListener("click", (event) => {
  const button = event.target.closest(".hear");
  if (!button) return;
  const line = button.closest(".line");
  line.focus();
  hear(line);
});
