// Playback of all cameras by one clock: the first camera whose clip plays as a video keeps the time, the others follow.

// how long playing waits for cameras that are not ready
const HOLD_MS = 2500;
const LONGEST_TICK_MS = 250;

export class Player {
  constructor(durationNs, lanes, onTick) {
    this.durationNs = durationNs;
    this.lanes = lanes;
    this.onTick = onTick;
    this.atNs = 0;
    this.rate = 1;
    this.isPlaying = false;
    this.holdUntilMs = 0;
    this.lastMs = performance.now();
    this.isClosed = false;
    requestAnimationFrame((nowMs) => this.tick(nowMs));
  }

  tick(nowMs) {
    if (this.isClosed) return;
    requestAnimationFrame((later) => this.tick(later));
    const passedMs = Math.min(LONGEST_TICK_MS, Math.max(0, nowMs - this.lastMs));
    this.lastMs = nowMs;
    const master = this.master();
    let advancing = this.isPlaying && this.isReady(nowMs, master);
    if (advancing) {
      const told = master?.timeNs() ?? null;
      if (told !== null) this.atNs = Math.max(0, told);
      else if (!master) this.atNs += passedMs * 1e6 * this.rate;
      if (this.atNs >= this.durationNs) {
        this.atNs = this.durationNs - 1;
        this.isPlaying = advancing = false;
      }
    }
    for (const lane of this.lanes) lane.follow(this.atNs, advancing, this.rate, lane === master);
    this.onTick();
  }

  master() {
    return this.lanes.find((lane) => lane.leads(this.atNs)) ?? null;
  }

  isReady(nowMs, master) {
    if (this.lanes.every((lane) => lane.isReady())) this.holdUntilMs = 0;
    if (nowMs < this.holdUntilMs) return false;
    // a master that is waiting for bytes holds all
    return !master || master.isReady();
  }

  // the camera whose frames are counted in steps: the one that keeps the time, else any that shows one
  stepper() {
    return this.master() ?? this.lanes.find((lane) => lane.shownNs() !== null) ?? null;
  }

  play() {
    if (this.atNs >= this.durationNs - 1) this.seek(0);
    this.isPlaying = true;
    this.holdUntilMs = performance.now() + HOLD_MS;
  }

  pause() {
    this.isPlaying = false;
    // to the frame that is on the screen, so that all cameras show the same moment
    const told = this.master()?.timeNs() ?? null;
    if (told !== null) this.atNs = Math.max(0, told);
  }

  seek(atNs) {
    this.atNs = Math.max(0, Math.min(this.durationNs - 1, Math.round(atNs)));
    this.holdUntilMs = performance.now() + HOLD_MS;
    for (const lane of this.lanes) lane.seek(this.atNs);
  }

  step(frames) {
    this.pause();
    const lane = this.stepper();
    const frameNs = lane?.frameNs() ?? 1e9 / 30;
    const shown = lane?.shownNs() ?? null;
    const isUnderWay = lane?.current?.pendingS != null || lane?.current?.video?.seeking;
    if (shown === null || isUnderWay) {
      this.seek(this.atNs + frames * frameNs);
      return;
    }
    // a third into the wanted frame: times in a file are rounded
    this.seek(lane.current.clip.start_ns + shown + (frames + 0.33) * frameNs);
  }

  close() {
    this.isClosed = true;
    for (const lane of this.lanes) lane.close();
  }
}
