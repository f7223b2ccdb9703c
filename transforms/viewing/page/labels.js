// Labels and telemetry of clips, fetched in windows of ten seconds as they are needed; an hour is never held.

const WINDOW_NS = 10e9;
// neighbours overlap, so that a box between two labelled frames has both at hand
const OVERLAP_NS = 1e9;
const MOST_WINDOWS = 48;
// two labelled frames further apart than this are not joined
const APART_NS = 1e9;

export async function ask(address) {
  const answer = await fetch(address);
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.error ?? `${answer.status} ${answer.statusText}`);
  }
  return answer.json();
}

export class Labels {
  constructor(onChange, onProblem) {
    this.windows = new Map();
    this.onChange = onChange;
    this.onProblem = onProblem;
  }

  // the window around a time of a clip, or null while it is on its way; the next one is fetched ahead
  window(clip, atNs, ahead = true) {
    const place = Math.max(0, Math.floor(atNs / WINDOW_NS));
    const key = `${clip.clip_id} ${place}`;
    if (!this.windows.has(key)) this.load(clip, place, key);
    const known = this.windows.get(key);
    this.windows.delete(key);
    this.windows.set(key, known);
    if (ahead && (place + 1) * WINDOW_NS < clip.duration_ns) this.window(clip, (place + 1) * WINDOW_NS, false);
    return known.failed ? null : known.value;
  }

  async load(clip, place, key) {
    const slot = { value: null, failed: false };
    this.windows.set(key, slot);
    while (this.windows.size > MOST_WINDOWS) this.windows.delete(this.windows.keys().next().value);
    const start = Math.max(0, place * WINDOW_NS - OVERLAP_NS);
    const stop = (place + 1) * WINDOW_NS + OVERLAP_NS;
    try {
      slot.value = unpacked(await ask(`api/clips/${clip.clip_id}/window?start_ns=${start}&stop_ns=${stop}`));
      this.onChange(slot.value);
    } catch (error) {
      slot.failed = true;
      this.onProblem(`${clip.name}: its labels cannot be read: ${error.message}`);
    }
  }
}

function unpacked(given) {
  const columns = given.boxes;
  const text = (place) => (place < 0 ? null : columns.texts[place]);
  const boxes = columns.timestamp_ns.map((atNs, row) => ({
    atNs,
    detection: columns.detection[row],
    track: text(columns.track_id[row]),
    object: given.objects[text(columns.track_id[row])] ?? text(columns.track_id[row]),
    category: text(columns.category[row]),
    source: text(columns.label_source[row]),
    categoryRaw: text(columns.category_raw[row]),
    network: text(columns.network[row]),
    edges: columns.edges.slice(4 * row, 4 * row + 4),
    rawEdges: columns.raw_edges[4 * row] === null ? null : columns.raw_edges.slice(4 * row, 4 * row + 4),
    score: columns.score[row],
    scoreRaw: columns.score_raw[row],
  }));
  const byTime = new Map(given.frames.labelled_ns.map((atNs) => [atNs, []]));
  for (const box of boxes) {
    if (!byTime.has(box.atNs)) byTime.set(box.atNs, []);
    byTime.get(box.atNs).push(box);
  }
  const times = [...byTime.keys()].sort((one, other) => one - other);
  return { times, byTime, damaged: new Set(given.frames.damaged_ns), telemetry: given.telemetry };
}

// place of the last time that is not after another; -1 where all are
export function lastUpTo(times, atNs) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= atNs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// The boxes of the frame that is on the screen. Between two labelled frames boxes of one track go straight from the
// one to the other, and say so (exact: false).
export function boxesAt(window, clip, atNs) {
  const slack = clip.fps > 0 ? 0.5e9 / clip.fps : 1e6;
  const place = lastUpTo(window.times, atNs + slack);
  if (place < 0) return { boxes: [], exact: false };
  const before = window.times[place];
  if (atNs - before <= slack) return { boxes: window.byTime.get(before), exact: true };
  const after = window.times[place + 1];
  if (after === undefined || after - before > APART_NS) return { boxes: [], exact: false };
  const share = (atNs - before) / (after - before);
  const later = new Map(window.byTime.get(after).filter((box) => box.track).map((box) => [box.track, box]));
  const boxes = [];
  for (const box of window.byTime.get(before)) {
    const next = box.track ? later.get(box.track) : undefined;
    if (next) boxes.push({ ...box, edges: between(box.edges, next.edges, share), rawEdges: between(box.rawEdges, next.rawEdges, share) });
    else if (share < 0.5) boxes.push(box);
  }
  return { boxes, exact: false };
}

function between(one, other, share) {
  if (!one || !other) return null;
  return one.map((edge, place) => edge + (other[place] - edge) * share);
}

// what is drawn of a frame: `raw` boxes are the network's own
export function chosen(boxes, filter) {
  const kept = [];
  for (const box of boxes) {
    if (filter.shown !== "network" && passes(box.category, box.score, filter)) kept.push({ box, edges: box.edges, raw: false });
    if (filter.shown !== "hindsight" && box.rawEdges && passes(box.categoryRaw ?? box.category, box.scoreRaw, filter)) {
      kept.push({ box, edges: box.rawEdges, raw: true });
    }
  }
  return kept;
}

function passes(category, score, filter) {
  // a score of 0: hindsight set the row aside as no object
  return score !== null && score > 0 && score >= filter.score && !filter.hidden.has(category);
}
