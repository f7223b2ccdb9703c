// The page: what is chosen, and who tells whom.

import { Labels, ask, boxesAt, chosen, lastUpTo } from "./labels.js";
import { Lane } from "./lane.js";
import { linkOf, readLink } from "./link.js";
import { JumpList, checkbox, clockText, showPicked, telemetryText } from "./panel.js";
import { Player } from "./player.js";
import { Timeline } from "./timeline.js";

const byId = (id) => document.getElementById(id);
const filter = { shown: "hindsight", score: 0.3, hidden: new Set() };
const categories = new Set();
let drive = null;
let player = null;
let lanes = [];
let enlarged = null;
let picked = null;
let written = { ms: 0, link: "" };

const labels = new Labels(
  (window) => {
    for (const box of [...window.byTime.values()].flat()) {
      categories.add(box.category);
      if (box.categoryRaw) categories.add(box.categoryRaw);
    }
    fillCategories();
    redraw();
  },
  (words) => problem(words),
);
const jumpList = new JumpList((jump) => player.seek(jump.at_ns));
const timeline = new Timeline(byId("strip"), byId("seek"), (atNs) => player?.seek(atNs));

function problem(words) {
  byId("problem").textContent = words;
  byId("problem").hidden = !words;
}

function redraw() {
  for (const lane of lanes) lane.redraw();
}

function sceneOf(lane) {
  const clip = lane.current?.clip;
  const shownNs = lane.shownNs();
  if (!clip || shownNs === null) return null;
  const window = labels.window(clip, shownNs);
  if (!window) return null;
  const { boxes, exact } = boxesAt(window, clip, shownNs);
  const drawn = chosen(boxes, filter);
  lane.canvas.dataset.boxes = String(drawn.length);
  lane.canvas.dataset.shownNs = String(shownNs);
  return { clip, window, atNs: shownNs, drawn, exact, trails: byId("trails").checked, picked };
}

function fillCategories() {
  const parent = byId("categories");
  const wanted = [...new Set([...categories, ...filter.hidden])].sort();
  if (parent.dataset.listed === wanted.join()) return;
  parent.dataset.listed = wanted.join();
  parent.replaceChildren();
  for (const category of wanted) {
    checkbox(parent, category, !filter.hidden.has(category), (isOn) => {
      if (isOn) filter.hidden.delete(category);
      else filter.hidden.add(category);
      redraw();
      writeLink(true);
    });
  }
}

function state() {
  return { drive: drive.drive_id, atNs: player.atNs, camera: enlarged, score: filter.score, hidden: filter.hidden, shown: filter.shown };
}

function writeLink(now) {
  const ms = performance.now();
  if (!drive || (!now && ms - written.ms < 1000)) return;
  const link = linkOf(state());
  if (link !== written.link) history.replaceState(null, "", link);
  written = { ms, link };
}

function enlarge(camera) {
  enlarged = lanes.some((lane) => lane.camera === camera) ? camera : null;
  if (enlarged) byId("cameras").dataset.enlarged = enlarged;
  else delete byId("cameras").dataset.enlarged;
  for (const lane of lanes) {
    lane.figure.classList.toggle("enlarged", lane.camera === enlarged);
    lane.button.setAttribute("aria-pressed", String(lane.camera === enlarged));
  }
}

function onTick() {
  const { atNs, isPlaying } = player;
  const words = clockText(atNs);
  if (byId("clock").textContent !== words) {
    byId("clock").textContent = words;
    byId("when").textContent = drive.start_utc_ms === null ? "" : new Date(drive.start_utc_ms + atNs / 1e6).toISOString().replace("T", " ").slice(0, 19) + " UTC";
  }
  // its rows may come later than the frame
  const told = telemetryNow();
  if (byId("telemetry").textContent !== told) byId("telemetry").textContent = told;
  byId("play").textContent = isPlaying ? "Pause" : "Play";
  timeline.moveTo(atNs, words);
  writeLink(false);
}

function telemetryNow() {
  for (const lane of lanes) {
    const clip = lane.current?.clip;
    if (!clip || lane.shownNs() === null) continue;
    const window = labels.window(clip, lane.shownNs());
    if (window?.telemetry.timestamp_ns.length) {
      const row = lastUpTo(window.telemetry.timestamp_ns, lane.shownNs() + lane.frameNs() / 2);
      return telemetryText(window.telemetry, row);
    }
  }
  return "";
}

function stepToLabel(way) {
  const lane = player.stepper();
  const shownNs = lane?.shownNs() ?? null;
  if (shownNs === null) return;
  const { clip } = lane.current;
  const window = labels.window(clip, shownNs);
  if (!window) return;
  const slack = lane.frameNs() / 2;
  const wanted = way > 0 ? window.times.find((atNs) => atNs > shownNs + slack) : window.times.findLast((atNs) => atNs < shownNs - slack);
  player.pause();
  if (wanted !== undefined) player.seek(clip.start_ns + wanted + 0.33 * lane.frameNs());
}

async function open(driveId, atNs, camera) {
  problem("");
  player?.close();
  player = null;
  drive = await ask(`api/drives/${encodeURIComponent(driveId)}`);
  byId("drive").value = drive.drive_id;
  lanes = drive.cameras.map(
    (name) =>
      new Lane(name, drive.clips.filter((clip) => clip.camera === name), {
        sceneOf,
        onEnlarge: (lane) => {
          enlarge(lane.camera === enlarged ? null : lane.camera);
          writeLink(true);
        },
        onPick: (one) => {
          picked = one?.box.detection ?? null;
          showPicked(byId("picked"), one);
          redraw();
        },
      }),
  );
  byId("cameras").replaceChildren(...lanes.map((lane) => lane.figure));
  enlarge(camera);
  player = new Player(drive.duration_ns, lanes, onTick);
  player.rate = Number(byId("rate").value);
  player.seek(atNs);
  timeline.show(drive, []);
  jumpList.show([]);
  jumpList.say("looking …");
  const opened = drive;
  try {
    const { jumps } = await ask(`api/drives/${encodeURIComponent(driveId)}/jumps`);
    if (drive !== opened) return;
    jumpList.show(jumps);
    timeline.show(drive, jumps);
  } catch (error) {
    jumpList.say(error.message);
  }
}

async function follow(link) {
  filter.score = link.score;
  filter.hidden = link.hidden;
  filter.shown = link.shown;
  byId("score").value = String(link.score);
  byId("score-value").textContent = link.score.toFixed(2);
  document.querySelector(`input[name=shown][value=${link.shown}]`).checked = true;
  fillCategories();
  let { drive: wanted, atNs, camera } = link;
  if (link.clip) {
    const clip = await ask(`api/clips/${encodeURIComponent(link.clip)}`);
    const whole = await ask(`api/drives/${encodeURIComponent(clip.drive_id)}`);
    wanted = clip.drive_id;
    camera ??= clip.camera;
    atNs += whole.clips.find((one) => one.clip_id === link.clip).start_ns;
  }
  wanted ??= byId("drive").value;
  if (!wanted) return problem("no clip in this data set");
  return open(wanted, atNs, camera);
}

function listDrives(listed) {
  byId("drive").replaceChildren(
    ...listed.drives.map((one) => {
      const option = document.createElement("option");
      option.value = one.drive_id;
      const when = one.start_utc_ms === null ? one.name : new Date(one.start_utc_ms).toISOString().replace("T", " ").slice(0, 19);
      option.textContent = `${when} · ${clockText(one.duration_ns, 0)} · ${one.cameras.join(", ")}`;
      return option;
    }),
  );
  if (listed.left_off) problem(`${listed.left_off} more drives are not listed; a link with drive= opens any`);
}

const KEYS = {
  " ": () => (player.isPlaying ? player.pause() : player.play()),
  ArrowLeft: (event) => player.seek(player.atNs - (event.shiftKey ? 10e9 : 1e9)),
  ArrowRight: (event) => player.seek(player.atNs + (event.shiftKey ? 10e9 : 1e9)),
  ",": () => player.step(-1),
  ".": () => player.step(1),
  ";": () => stepToLabel(-1),
  ":": () => stepToLabel(1),
  n: () => jumpTo(1),
  p: () => jumpTo(-1),
};

function jumpTo(way) {
  const jump = jumpList.beside(player.atNs, way);
  if (jump) player.seek(jump.at_ns);
}

function wire() {
  for (const [id, key] of Object.entries({ play: " ", back: ",", forward: ".", "label-back": ";", "label-forward": ":" })) {
    byId(id).addEventListener("click", (event) => player && KEYS[key](event));
  }
  byId("rate").addEventListener("change", () => player && (player.rate = Number(byId("rate").value)));
  byId("drive").addEventListener("change", () => open(byId("drive").value, 0, null).catch((error) => problem(error.message)));
  byId("trails").addEventListener("change", redraw);
  byId("copy").addEventListener("click", async () => {
    writeLink(true);
    await navigator.clipboard?.writeText(location.href).catch(() => {});
    byId("copy").textContent = "Copied";
    setTimeout(() => (byId("copy").textContent = "Copy link"), 1500);
  });
  byId("score").addEventListener("input", () => {
    filter.score = Number(byId("score").value);
    byId("score-value").textContent = filter.score.toFixed(2);
    redraw();
    writeLink(false);
  });
  byId("shown").addEventListener("change", (event) => {
    filter.shown = event.target.value;
    redraw();
    writeLink(true);
  });
  document.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    const isTyping = event.target.closest?.("input, select, textarea") && event.target.type !== "checkbox";
    const isButton = event.key === " " && event.target.closest?.("button, summary, input");
    if (!act || !player || isTyping || isButton || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(event);
  });
  addEventListener("hashchange", () => follow(readLink()).catch((error) => problem(error.message)));
}

async function start() {
  const listed = await ask("api/dataset");
  byId("name").textContent = listed.name;
  if (listed.blurred.length) {
    byId("blurred").textContent = `${listed.blurred.map((kind) => `${kind}s`).join(" and ")} blurred: labelled frames alone`;
  }
  document.title = `${listed.name} · clipmill view`;
  listDrives(listed);
  wire();
  await follow(readLink());
}

start().catch((error) => problem(error.message));
