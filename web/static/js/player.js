// One sound, heard as it was, as it is, or as the difference. A listening copy has the original on
// its left and the cleaned sound, level-matched, on its right channel. Going from one to the other
// moves two gains, so nothing is sought, nothing stops, and the position stays.

const FADE_S = 0.008;

export class Player extends EventTarget {
  constructor() {
    super();
    this.audio = new Audio();
    this.audio.preload = "auto";
    this.version = "raw";
    this.channels = 1;
    this.gain = 1;
    for (const name of ["play", "pause", "ended", "timeupdate", "seeked", "loadedmetadata"]) {
      this.audio.addEventListener(name, () => this.dispatchEvent(new Event(name)));
    }
  }

  /** Put a sound on. channels: 1 where nothing is cleaned. gainDb: that the cleaned sound has. */
  load(url, channels, gainDb) {
    this.channels = channels;
    this.gain = 10 ** (gainDb / 20);
    this.audio.src = url;
    if (channels === 1) this.version = "raw";
    this.#mix(0);
    this.dispatchEvent(new Event("version"));
  }

  get time() { return this.audio.currentTime; }
  get playing() { return !this.audio.paused; }

  seek(seconds) { this.audio.currentTime = Math.max(0, seconds); }

  async play() {
    this.#graph();
    if (this.context.state === "suspended") await this.context.resume();
    await this.audio.play();
  }

  pause() { this.audio.pause(); }
  toggle() { return this.playing ? this.pause() : this.play(); }

  /** Hear raw, cleaned or removed from here on, at the very same position. */
  hear(version) {
    if (this.channels === 1 && version !== "raw") return false;
    this.version = version;
    this.#mix(FADE_S);
    this.dispatchEvent(new Event("version"));
    return true;
  }

  // left × a + right × b
  #gains() {
    if (this.channels === 1) return [1, 0];
    return { raw: [1, 0], cleaned: [0, 1], removed: [this.gain, -1] }[this.version];
  }

  #mix(fade) {
    if (!this.context) return;
    const now = this.context.currentTime;
    this.#gains().forEach((value, at) => {
      const gain = this.mixers[at].gain;
      gain.cancelScheduledValues(now);
      gain.setValueAtTime(gain.value, now);
      gain.linearRampToValueAtTime(value, now + fade);
    });
  }

  #graph() {
    if (this.context) return;
    this.context = new AudioContext({ latencyHint: "interactive" });
    const source = this.context.createMediaElementSource(this.audio);
    const split = this.context.createChannelSplitter(2);
    source.connect(split);
    this.output = this.context.createGain();
    this.output.channelCount = 1;
    this.output.channelCountMode = "explicit";
    this.mixers = [0, 1].map((channel) => {
      const mixer = this.context.createGain();
      split.connect(mixer, channel);
      mixer.connect(this.output);
      return mixer;
    });
    this.mixers[1].gain.value = 0;
    this.output.connect(this.context.destination);
    this.#mix(0);
  }
}

/** Wire the bar at the foot of the page, and the keys 1 2 3. Gives the player. */
export function bar(typing) {
  const player = new Player();
  const root = document.getElementById("player");
  const play = root.querySelector("#play");
  const versions = [...root.querySelectorAll("[data-version]")];
  const show = () => {
    play.textContent = player.playing ? "❚❚" : "▶";
    play.setAttribute("aria-label", player.playing ? "Pause" : "Play");
  };
  play.addEventListener("click", () => player.toggle());
  player.addEventListener("play", show);
  player.addEventListener("pause", show);
  player.addEventListener("version", () => {
    for (const button of versions) {
      button.setAttribute("aria-pressed", String(button.dataset.version === player.version));
      button.disabled = player.channels === 1 && button.dataset.version !== "raw";
    }
  });
  for (const button of versions) {
    button.addEventListener("click", () => player.hear(button.dataset.version));
  }
  document.addEventListener("keydown", (event) => {
    if (typing(event)) return;
    const version = { 1: "raw", 2: "cleaned", 3: "removed" }[event.key];
    if (version) player.hear(version);
  });
  window.roomtone = { player };
  return player;
}
