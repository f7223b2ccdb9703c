// The drive at a glance: a row a camera with its clips, a row a kind of jump, and where we are.

import { kindOf } from "./panel.js";

const ROW = 13;

export class Timeline {
  constructor(canvas, range, onSeek) {
    this.canvas = canvas;
    this.range = range;
    this.drive = null;
    this.jumps = [];
    this.kinds = [];
    this.atNs = 0;
    canvas.addEventListener("pointerdown", (event) => this.drag(event, onSeek));
    canvas.addEventListener("pointermove", (event) => event.buttons && this.drag(event, onSeek));
    range.addEventListener("input", () => onSeek(Number(range.value) * 1e6));
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  show(drive, jumps) {
    this.drive = drive;
    this.jumps = jumps;
    this.kinds = [...new Set(jumps.map((jump) => jump.kind))];
    this.range.max = String(Math.floor(drive.duration_ns / 1e6));
    this.canvas.style.height = `${(drive.cameras.length + this.kinds.length) * ROW + 4}px`;
    this.redraw();
  }

  moveTo(atNs, words) {
    if (atNs === this.atNs) return;
    this.atNs = atNs;
    if (document.activeElement !== this.range || Math.abs(Number(this.range.value) - atNs / 1e6) > 500) {
      this.range.value = String(Math.round(atNs / 1e6));
    }
    this.range.setAttribute("aria-valuetext", words);
    this.redraw();
  }

  drag(event, onSeek) {
    if (!this.drive) return;
    const box = this.canvas.getBoundingClientRect();
    onSeek(((event.clientX - box.left) / box.width) * this.drive.duration_ns);
  }

  redraw() {
    if (!this.drive) return;
    const { canvas, drive } = this;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    const context = canvas.getContext("2d");
    context.scale(devicePixelRatio, devicePixelRatio);
    const style = getComputedStyle(document.documentElement);
    const [ink, soft, rule, paper] = ["--ink", "--soft", "--rule", "--paper"].map((name) => style.getPropertyValue(name));
    const x = (atNs) => (atNs / drive.duration_ns) * width;
    context.font = "10px system-ui, sans-serif";
    context.textBaseline = "middle";
    drive.cameras.forEach((camera, row) => {
      context.fillStyle = rule;
      for (const clip of drive.clips) {
        if (clip.camera === camera) context.fillRect(x(clip.start_ns), row * ROW + 2, Math.max(1, x(clip.duration_ns) - 1), ROW - 3);
      }
      context.fillStyle = soft;
      context.fillText(camera, 3, row * ROW + ROW / 2 + 1);
    });
    this.kinds.forEach((kind, place) => {
      const top = (drive.cameras.length + place) * ROW;
      context.fillStyle = kindOf(kind).colour;
      for (const jump of this.jumps) {
        if (jump.kind === kind) context.fillRect(x(jump.at_ns) - 1, top + 2, Math.max(3, x(jump.stop_ns - jump.at_ns)), ROW - 3);
      }
      context.fillStyle = paper;
      context.fillRect(0, top + 1, context.measureText(kindOf(kind).name).width + 6, ROW - 1);
      context.fillStyle = ink;
      context.fillText(kindOf(kind).name, 3, top + ROW / 2 + 1);
    });
    context.fillStyle = ink;
    context.fillRect(Math.min(width - 2, x(this.atNs)), 0, 2, height);
  }
}
