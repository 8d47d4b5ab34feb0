// Where something is: source timecode as the server counts it, or minutes and seconds.

/** What a page says of a take's timecode: where it begins, in samples since midnight, and its rate. */
export function origin(data) {
  if (!data.fps) return null;
  const [over, under] = data.fps.split("/").map(Number);
  return { reference: Number(data.reference), over, under, drop: data.drop === "yes" };
}

/** Timecode of the frame that a sample lies in (SMPTE 12M); minutes and seconds without an origin. */
export function timecode(sample, rate, from) {
  if (!from) return clock(sample / rate);
  const start = (frame) => Math.floor((2 * frame * rate * from.under + from.over) / (2 * from.over));
  const at = from.reference + sample;
  let count = Math.floor((at * from.over) / (rate * from.under));
  if (start(count + 1) <= at) count += 1;
  const nominal = Math.ceil(from.over / from.under);
  const dropped = from.drop ? nominal / 15 : 0;
  const minute = nominal * 60 - dropped;
  const ten = minute * 10 + dropped;
  count %= ten * 6 * 24;
  const rest = count % ten;
  count += dropped * 9 * Math.floor(count / ten);
  if (dropped && rest >= dropped) count += dropped * Math.floor((rest - dropped) / minute);
  const two = (value) => String(value).padStart(2, "0");
  const seconds = Math.floor(count / nominal);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${parts.map(two).join(":")}${from.drop ? ";" : ":"}${two(count % nominal)}`;
}

/** Seconds as m:ss.mmm. */
export function clock(seconds) {
  const ms = Math.max(0, Math.round(seconds * 1000));
  const minutes = Math.floor(ms / 60000);
  return `${minutes}:${((ms % 60000) / 1000).toFixed(3).padStart(6, "0")}`;
}
