// Drawing over a frame, in its own pixels as displayed.

import { lastUpTo } from "./labels.js";

const TRAIL_NS = 1.5e9;

export function colourOf(text) {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + letter.codePointAt(0)) % 3600;
  return `hsl(${sum / 10} 95% 62%)`;
}

// Layers from the bottom up; each gets the scene and draws in the clip's pixels. Lanes will be one more.
const LAYERS = [drawTrails, drawBoxes];

// scene: {clip, window, atNs, drawn, exact, trails, picked}
export function draw(canvas, scene) {
  const width = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
  const height = Math.max(1, Math.round(canvas.clientHeight * devicePixelRatio));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  if (!scene) return;
  const scale = width / scene.clip.width;
  context.setTransform(scale, 0, 0, height / scene.clip.height, 0, 0);
  // lines and letters keep their size on the screen, whatever the size of the picture
  scene.unit = devicePixelRatio / scale;
  for (const layer of LAYERS) layer(context, scene);
}

function drawTrails(context, scene) {
  if (!scene.trails) return;
  const wanted = new Set(scene.drawn.filter((one) => !one.raw && one.box.track).map((one) => one.box.track));
  const last = lastUpTo(scene.window.times, scene.atNs);
  const paths = new Map();
  for (let place = last; place >= 0 && scene.window.times[place] >= scene.atNs - TRAIL_NS; place -= 1) {
    for (const box of scene.window.byTime.get(scene.window.times[place])) {
      if (!wanted.has(box.track)) continue;
      if (!paths.has(box.track)) paths.set(box.track, { key: box.object, points: [] });
      paths.get(box.track).points.push([(box.edges[0] + box.edges[2]) / 2, box.edges[3]]);
    }
  }
  context.setLineDash([]);
  context.lineWidth = 1.5 * scene.unit;
  for (const { key, points } of paths.values()) {
    context.strokeStyle = colourOf(key);
    context.beginPath();
    points.forEach(([x, y]) => context.lineTo(x, y));
    context.stroke();
  }
}

function drawBoxes(context, scene) {
  const { unit } = scene;
  context.font = `${11 * unit}px system-ui, sans-serif`;
  context.textBaseline = "bottom";
  for (const { box, edges, raw } of scene.drawn) {
    const [left, top, right, bottom] = edges;
    const colour = raw ? "#ffffff" : colourOf(box.object ?? box.category);
    context.strokeStyle = colour;
    context.lineWidth = (box.detection === scene.picked ? 4 : raw ? 1 : 2) * unit;
    // dashes: not from this frame, or added by hindsight; dots: the network's own box
    context.setLineDash(raw ? [2 * unit, 2 * unit] : scene.exact && box.source === "detected" ? [] : [6 * unit, 4 * unit]);
    context.strokeRect(left, top, right - left, bottom - top);
    const score = raw ? box.scoreRaw : box.score;
    const caption = `${(raw ? box.categoryRaw : box.category) ?? ""} ${score.toFixed(2)}${!raw && box.object ? " #" + box.object.slice(0, 4) : ""}`;
    const width = context.measureText(caption).width + 4 * unit;
    const line = 13 * unit;
    const foot = raw ? Math.min(bottom + line, scene.clip.height) : Math.max(top, line);
    const start = Math.max(0, Math.min(left, scene.clip.width - width));
    context.fillStyle = colour;
    context.fillRect(start, foot - line, width, line);
    context.fillStyle = "#000000";
    context.fillText(caption, start + 2 * unit, foot);
  }
}

// the smallest drawn box around a point in the clip's pixels
export function boxAt(drawn, x, y) {
  const around = drawn.filter(({ edges }) => edges[0] <= x && x <= edges[2] && edges[1] <= y && y <= edges[3]);
  const area = ({ edges }) => (edges[2] - edges[0]) * (edges[3] - edges[1]);
  return around.sort((one, other) => area(one) - area(other))[0] ?? null;
}
