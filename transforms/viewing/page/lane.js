// One camera: the clip of the moment, as a video or as single pictures, and what is drawn over it.

import { boxAt, draw } from "./overlay.js";

// followers further off than this are put in place; nearer ones run a little faster or slower
const SEEK_S = 0.3;
const MOST_NUDGE = 0.2;
const NUDGE_PER_S = 3;
const FIRST_FRAME_WAIT_MS = 1500;
const RETRY_MS = 3000;
const PRELOAD_NS = 5e9;

function made(tag, className, parent) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  parent?.append(element);
  return element;
}

export class Lane {
  // hooks: sceneOf(lane), onEnlarge(lane), onPick(box)
  constructor(camera, clips, hooks) {
    this.camera = camera;
    this.clips = clips;
    this.hooks = hooks;
    this.current = null;
    this.next = null;
    this.scene = null;
    this.figure = made("figure", "lane");
    const caption = made("figcaption", "", this.figure);
    this.button = made("button", "", caption);
    this.button.type = "button";
    this.button.textContent = camera;
    this.button.title = "Enlarge or shrink";
    this.button.setAttribute("aria-pressed", "false");
    this.button.addEventListener("click", () => hooks.onEnlarge(this));
    this.title = made("span", "soft", caption);
    this.frame = made("div", "frame", this.figure);
    this.canvas = made("canvas", "", this.frame);
    this.canvas.addEventListener("click", (event) => this.pick(event));
    this.note = made("p", "note", this.frame);
    this.note.hidden = true;
    if (clips[0]) this.shape(clips[0]);
    new ResizeObserver(() => this.redraw()).observe(this.frame);
  }

  clipAt(atNs) {
    // of two that overlap, the one that began last
    return this.clips.findLast((clip) => clip.start_ns <= atNs && atNs < clip.start_ns + clip.duration_ns) ?? null;
  }

  leads(atNs) {
    const slot = this.current;
    const clip = this.clipAt(atNs);
    if (!clip || clip.plays !== "video") return false;
    return slot?.clip !== clip || !slot.video.ended;
  }

  isReady() {
    const slot = this.current;
    if (!slot || slot.clip.plays !== "video") return true;
    return slot.hasOrigin && slot.pendingS === null && !slot.video.seeking && slot.video.readyState >= 3;
  }

  // the drive's time by this camera's video; null while it is not to be relied on
  timeNs() {
    const slot = this.current;
    if (!slot?.video || slot.video.paused || slot.video.seeking) return null;
    return slot.clip.start_ns + (slot.video.currentTime - slot.originS) * 1e9;
  }

  frameNs() {
    return this.current && this.current.clip.fps > 0 ? 1e9 / this.current.clip.fps : 1e9 / 30;
  }

  // time in the clip of the frame that is on the screen; null where none is
  shownNs() {
    return this.current?.shownNs ?? null;
  }

  seek(atNs) {
    const slot = this.current;
    if (slot?.video && this.clipAt(atNs) === slot.clip) slot.pendingS = (atNs - slot.clip.start_ns) / 1e9;
  }

  follow(atNs, advancing, rate, isMaster) {
    const clip = this.clipAt(atNs);
    if (clip !== (this.current?.clip ?? null)) this.change(clip, atNs);
    if (!clip) return this.say("no clip at this time");
    if (clip.plays === "video") this.followVideo(atNs, advancing, rate, isMaster);
    else if (clip.plays === "frames") this.followStills(atNs - clip.start_ns);
    const after = this.clips.find((other) => other.start_ns > clip.start_ns);
    if (advancing && after?.plays === "video" && after.start_ns - atNs < PRELOAD_NS && this.next?.clip !== after) {
      this.drop(this.next);
      this.next = this.videoSlot(after);
    }
  }

  followVideo(atNs, advancing, rate, isMaster) {
    const slot = this.current;
    const { video } = slot;
    if (!slot.hasOrigin && performance.now() - slot.madeMs > FIRST_FRAME_WAIT_MS && video.readyState >= 2) slot.hasOrigin = true;
    if (!slot.hasOrigin) return;
    if (slot.pendingS !== null) {
      video.currentTime = Math.max(0, slot.pendingS + slot.originS);
      slot.pendingS = null;
      return;
    }
    const wantS = (atNs - slot.clip.start_ns) / 1e9 + slot.originS;
    const driftS = wantS - video.currentTime;
    const frameS = this.frameNs() / 1e9;
    if (!advancing) {
      if (!video.paused) video.pause();
      if (!video.seeking && Math.abs(driftS) > frameS / 2 && slot.lastWantS !== wantS && !isMaster) {
        slot.lastWantS = wantS;
        video.currentTime = Math.max(0, wantS);
      }
      return;
    }
    if (video.ended || video.seeking) return;
    if (video.paused) video.play().catch(() => {});
    let speed = rate;
    if (!isMaster && Math.abs(driftS) > SEEK_S * Math.max(1, rate)) {
      video.currentTime = Math.max(0, wantS);
    } else if (!isMaster && Math.abs(driftS) > frameS / 8) {
      speed = rate * (1 + Math.max(-MOST_NUDGE, Math.min(MOST_NUDGE, driftS * NUDGE_PER_S)));
    }
    if (Math.abs(video.playbackRate - speed) > 0.002) video.playbackRate = speed;
    if (!video.requestVideoFrameCallback) this.shows(slot, video.currentTime);
  }

  async followStills(wantNs) {
    const slot = this.current;
    if (slot.asking || performance.now() < slot.notBeforeMs) return;
    if (slot.askedNs !== null && Math.abs(wantNs - slot.askedNs) < this.frameNs() / 2) return;
    slot.asking = true;
    slot.askedNs = wantNs;
    try {
      const answer = await fetch(`clips/${slot.clip.clip_id}/still?at_ns=${Math.max(0, Math.round(wantNs))}`);
      if (!answer.ok) throw new Error((await answer.json()).error);
      const address = URL.createObjectURL(await answer.blob());
      if (slot.address) URL.revokeObjectURL(slot.address);
      slot.address = address;
      slot.image.src = address;
      await slot.image.decode();
      slot.shownNs = Number(answer.headers.get("x-timestamp-ns"));
      if (slot === this.current) this.say("");
      if (slot === this.current) this.redraw();
    } catch (error) {
      slot.notBeforeMs = performance.now() + RETRY_MS;
      slot.askedNs = null;
      if (slot === this.current) this.say(error.message);
    } finally {
      slot.asking = false;
    }
  }

  change(clip, atNs) {
    this.drop(this.current);
    this.current = null;
    this.title.textContent = clip ? clip.name : "";
    if (!clip) {
      this.redraw();
      return;
    }
    this.say("");
    this.shape(clip);
    if (clip.plays === "video") {
      this.current = this.next?.clip === clip ? this.next : this.videoSlot(clip);
      if (this.next === this.current) this.next = null;
      this.current.video.classList.remove("ahead");
      const inside = (atNs - clip.start_ns) / 1e9;
      // the next clip of a drive begins where it begins
      if (inside > 0.1) this.current.pendingS = inside;
    } else if (clip.plays === "frames") {
      const image = document.createElement("img");
      image.alt = "";
      this.frame.prepend(image);
      this.current = { clip, image, asking: false, askedNs: null, notBeforeMs: 0, shownNs: null, address: null };
    } else {
      this.current = { clip, shownNs: null };
      this.say("lies in an object store: copy it to this machine to play it");
    }
    this.redraw();
  }

  videoSlot(clip) {
    const video = document.createElement("video");
    video.muted = true;
    video.playsInline = true;
    video.preload = "auto";
    video.disablePictureInPicture = true;
    video.tabIndex = -1;
    video.className = "ahead";
    video.dataset.camera = this.camera;
    video.dataset.clip = clip.clip_id;
    video.dataset.startNs = String(clip.start_ns);
    video.dataset.originS = "0";
    const slot = { clip, video, originS: 0, hasOrigin: false, pendingS: null, lastWantS: null, shownNs: null, madeMs: performance.now() };
    video.addEventListener("error", () => this.fail(slot));
    if (video.requestVideoFrameCallback) {
      const seen = (_now, facts) => {
        this.shows(slot, facts.mediaTime);
        video.requestVideoFrameCallback(seen);
      };
      video.requestVideoFrameCallback(seen);
    } else {
      video.addEventListener("loadeddata", () => this.shows(slot, 0));
      video.addEventListener("seeked", () => this.shows(slot, video.currentTime));
    }
    this.frame.prepend(video);
    video.src = `clips/${clip.clip_id}`;
    return slot;
  }

  shows(slot, mediaS) {
    if (!slot.hasOrigin) {
      // files whose first picture is not at 0: our times count from that picture
      slot.originS = mediaS < 1 ? mediaS : 0;
      slot.hasOrigin = true;
      slot.video.dataset.originS = String(slot.originS);
    }
    slot.shownNs = Math.round((mediaS - slot.originS) * 1e9);
    if (slot === this.current) this.redraw();
  }

  async fail(slot) {
    const answer = await fetch(`clips/${slot.clip.clip_id}`, { headers: { Range: "bytes=0-0" } }).catch(() => null);
    if (answer?.ok) {
      // the file is there, this browser does not play it: the server decodes it
      slot.clip.plays = "frames";
      this.drop(slot);
      if (slot === this.current) this.current = null;
      if (slot === this.next) this.next = null;
      return;
    }
    const told = answer ? await answer.json().catch(() => ({})) : {};
    slot.clip.plays = "no";
    if (slot === this.current) this.say(told.error ?? "the viewer's server does not answer");
  }

  drop(slot) {
    if (!slot) return;
    if (slot.address) URL.revokeObjectURL(slot.address);
    slot.image?.remove();
    if (slot.video) {
      slot.video.pause();
      slot.video.removeAttribute("src");
      slot.video.load();
      slot.video.remove();
    }
  }

  close() {
    this.drop(this.current);
    this.drop(this.next);
    this.current = this.next = null;
    this.figure.remove();
  }

  shape(clip) {
    this.frame.style.setProperty("--ratio", String(clip.width / clip.height));
  }

  say(words) {
    // a screen reader would read the same words out again
    if (this.note.textContent === words) return;
    this.note.textContent = words;
    this.note.hidden = !words;
  }

  redraw() {
    this.scene = this.hooks.sceneOf(this);
    draw(this.canvas, this.scene);
  }

  pick(event) {
    if (!this.scene) return;
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.scene.clip.width;
    const y = ((event.clientY - box.top) / box.height) * this.scene.clip.height;
    this.hooks.onPick(boxAt(this.scene.drawn, x, y));
  }
}
