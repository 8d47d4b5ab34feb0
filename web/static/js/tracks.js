// The picture of a cut's tracks: zoom, ruler, the place that is heard, and which event is chosen.
import { origin, timecode } from "./timecode.js";

const SVG = "http://www.w3.org/2000/svg";
const STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];
const TICK_PX = 110;
const WIDEST = 4_000_000;

export class Tracks extends EventTarget {
  constructor(root) {
    super();
    this.rate = Number(root.dataset.rate);
    this.frames = Math.max(1, Number(root.dataset.frames));
    this.from = origin(root.dataset);
    this.reel = document.getElementById("reel");
    this.lanes = document.getElementById("lanes");
    this.ruler = document.getElementById("ruler");
    this.line = document.getElementById("at");
    this.groups = [...this.lanes.querySelectorAll("[data-track]")];
    this.tracks = this.groups.map((group, track) =>
      [...group.children].map((element, number) => ({
        element, track, number,
        start: Number(element.dataset.start),
        end: Number(element.dataset.end),
      })));
    this.chosen = null;
    this.at = 0;
    this.scale = 1;
    this.reel.addEventListener("scroll", () => this.#rule());
    new ResizeObserver(() => { this.show(this.at); this.#rule(); }).observe(this.reel);
    document.addEventListener("theme", () => this.#rule());
    this.lanes.addEventListener("click", (event) => this.#clicked(event));
    this.ruler.addEventListener("click", (event) => this.seek(this.#sample(event)));
    const busiest = Math.max(1, ...this.tracks.map((events) => events.length));
    this.zoom(Math.max(1, (busiest * 14) / this.reel.clientWidth), 0);
  }

  get width() { return this.reel.clientWidth * this.scale; }

  /** Every event, track after track. */
  get all() { return this.tracks.flat(); }

  /** Timecode of a sample of the record. */
  timecode(sample) { return timecode(Math.round(sample), this.rate, this.from); }

  /** Make the picture `scale` times as wide as its window; the place `at` stays where it is. */
  zoom(scale, at = this.at) {
    const before = this.#x(at) - this.reel.scrollLeft;
    this.scale = Math.max(1, Math.min(scale, WIDEST / this.reel.clientWidth));
    this.lanes.setAttribute("width", `${this.scale * 100}%`);
    const kept = before >= 0 && before <= this.reel.clientWidth ? before : this.reel.clientWidth / 2;
    this.reel.scrollLeft = this.#x(at) - kept;
    this.show(this.at);
    this.#rule();
  }

  /** Choose an event, and bring it and the place within it into view. */
  choose(event, at = event.start) {
    this.chosen?.element.setAttribute("aria-selected", "false");
    this.chosen = event;
    event.element.setAttribute("aria-selected", "true");
    this.reel.setAttribute("aria-activedescendant", event.element.id);
    this.seek(at);
    this.dispatchEvent(new Event("choose"));
  }

  /** The event before (-1) or after (1) on the same track; the first of all from nowhere. */
  move(by) {
    const events = this.chosen ? this.tracks[this.chosen.track] : this.tracks.find((one) => one.length);
    if (!events) return;
    const next = this.chosen ? events[this.chosen.number + by] : events[0];
    if (next) this.choose(next);
  }

  /** The event of the track above (-1) or below (1) that is nearest in time. */
  cross(by) {
    if (!this.chosen) return this.move(0);
    for (let track = this.chosen.track + by; this.tracks[track]; track += by) {
      const near = this.nearest(track, this.at);
      if (near) return this.choose(near, Math.max(near.start, Math.min(this.at, near.end - 1)));
    }
  }

  /** The event of a track that a sample lies in, or that is nearest to it. */
  nearest(track, sample) {
    const away = (event) => Math.max(event.start - sample, sample - event.end + 1, 0);
    return this.tracks[track].reduce((best, one) => (!best || away(one) < away(best) ? one : best), null);
  }

  /** The next event in time for which something is true, round and round. */
  next(wanted) {
    const ordered = this.all.filter(wanted).sort((a, b) => a.start - b.start || a.track - b.track);
    const place = this.chosen ? [this.chosen.start, this.chosen.track] : [-1, -1];
    const later = (one) => one.start > place[0] || (one.start === place[0] && one.track > place[1]);
    return ordered.find(later) ?? ordered[0] ?? null;
  }

  /** Go to a place, as the person asked; whoever plays follows. */
  seek(sample) {
    this.show(Math.max(0, Math.min(sample, this.frames)));
    this.reveal();
    this.dispatchEvent(new Event("seek"));
  }

  /** Show the place that is heard. */
  show(sample) {
    this.at = sample;
    this.line.style.transform = `translateX(${this.#x(sample)}px)`;
  }

  /** Scroll so that the place is seen. */
  reveal() {
    const x = this.#x(this.at) - this.reel.scrollLeft;
    const width = this.reel.clientWidth;
    if (x < 8 || x > width - 40) this.reel.scrollLeft += x - width / 4;
  }

  #x(sample) { return (sample / this.frames) * this.width; }

  #sample(event) {
    const left = this.lanes.getBoundingClientRect().left;
    return Math.round(((event.clientX - left) / this.width) * this.frames);
  }

  #clicked(event) {
    const element = event.target.closest(".event");
    const sample = this.#sample(event);
    if (!element) return this.seek(sample);
    const track = Number(element.parentNode.dataset.track);
    const found = this.tracks[track].find((one) => one.element === element);
    this.choose(found, Math.max(found.start, Math.min(sample, found.end - 1)));
  }

  // Only the marks that are seen are there.
  #rule() {
    const width = this.reel.clientWidth;
    const perSecond = (this.width * this.rate) / this.frames;
    const every = STEPS.find((step) => step * perSecond >= TICK_PX) ?? STEPS.at(-1);
    const origin0 = this.from ? this.from.reference : 0;
    // A second of timecode is its whole number of frames.
    const second = this.from
      ? (Math.ceil(this.from.over / this.from.under) * this.from.under * this.rate) / this.from.over
      : this.rate;
    const left = (this.reel.scrollLeft / this.width) * this.frames;
    const marks = [];
    let count = Math.ceil((origin0 + left) / (every * second));
    for (; ; count += 1) {
      const sample = count * every * second - origin0;
      const x = this.#x(sample) - this.reel.scrollLeft;
      if (x > width || sample > this.frames) break;
      const line = document.createElementNS(SVG, "line");
      for (const [name, value] of Object.entries({ x1: x, x2: x, y1: 0, y2: 22 })) line.setAttribute(name, value);
      const text = document.createElementNS(SVG, "text");
      text.setAttribute("x", x + 4);
      text.setAttribute("y", 15);
      text.textContent = this.timecode(sample);
      marks.push(line, text);
    }
    this.ruler.replaceChildren(...marks);
  }
}
