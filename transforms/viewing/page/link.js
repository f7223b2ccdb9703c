// What the address tells after its #: where, and what is drawn. Links hold no key.

export function readLink() {
  const given = new URLSearchParams(location.hash.slice(1));
  const seconds = Number(given.get("t") ?? "0");
  const score = Number(given.get("score") ?? "0.3");
  return {
    drive: given.get("drive"),
    // with a clip, t counts in the clip's own time, as timestamp_ns does in every table
    clip: given.get("clip"),
    atNs: Number.isFinite(seconds) ? Math.max(0, Math.round(seconds * 1e9)) : 0,
    camera: given.get("camera"),
    score: Number.isFinite(score) ? Math.min(1, Math.max(0, score)) : 0.3,
    hidden: new Set((given.get("hide") ?? "").split(",").filter(Boolean)),
    shown: ["hindsight", "network", "both"].includes(given.get("labels")) ? given.get("labels") : "hindsight",
  };
}

export function linkOf(state) {
  const parts = new URLSearchParams({ drive: state.drive, t: (state.atNs / 1e9).toFixed(3) });
  if (state.camera) parts.set("camera", state.camera);
  if (state.score !== 0.3) parts.set("score", String(state.score));
  if (state.hidden.size) parts.set("hide", [...state.hidden].sort().join(","));
  if (state.shown !== "hindsight") parts.set("labels", state.shown);
  return "#" + parts;
}
