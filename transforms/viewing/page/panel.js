// What stands beside the cameras: filters, the places to jump to, the box that was picked, the car's telemetry.

// Names and colours of kinds of jumps; kinds that are not here (moments, one day) are listed under their own name.
const KINDS = {
  event: { name: "events", colour: "#2f7de1" },
  failure: { name: "failures", colour: "#d03b2f" },
  damage: { name: "damaged frames", colour: "#a04bc9" },
  braking: { name: "hard braking", colour: "#d98a00" },
  close: { name: "objects close by", colour: "#18935a" },
};
const GEARS = ["P", "D", "R", "N"];
const AUTOPILOT = ["", "self-driving", "autosteer", "adaptive cruise"];

export function kindOf(kind) {
  return KINDS[kind] ?? { name: kind, colour: "#77808a" };
}

export function clockText(atNs, digits = 3) {
  const whole = Math.max(0, Math.floor(atNs / 1e6));
  const pad = (number, places) => String(number).padStart(places, "0");
  const hours = Math.floor(whole / 3.6e6);
  const minutes = Math.floor(whole / 6e4) % 60;
  const begin = hours ? `${hours}:${pad(minutes, 2)}` : `${minutes}`;
  const end = digits ? `.${pad(whole % 1000, 3)}` : "";
  return `${begin}:${pad(Math.floor(whole / 1000) % 60, 2)}${end}`;
}

export function checkbox(parent, words, isOn, onChange) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = isOn;
  box.addEventListener("change", () => onChange(box.checked));
  label.append(box, ` ${words}`);
  parent.append(label);
  return label;
}

export class JumpList {
  constructor(onJump) {
    this.list = document.getElementById("jumps");
    this.kinds = document.getElementById("kinds");
    this.empty = document.getElementById("no-jumps");
    this.hidden = new Set();
    this.jumps = [];
    this.onJump = onJump;
  }

  say(words) {
    this.empty.textContent = words;
    this.empty.hidden = !words;
  }

  show(jumps) {
    this.jumps = jumps;
    this.kinds.replaceChildren();
    for (const kind of new Set(jumps.map((jump) => jump.kind))) {
      const count = jumps.filter((jump) => jump.kind === kind).length;
      const label = checkbox(this.kinds, `${kindOf(kind).name} (${count})`, !this.hidden.has(kind), (isOn) => {
        if (isOn) this.hidden.delete(kind);
        else this.hidden.add(kind);
        this.fill();
      });
      label.append(" ", dot(kind));
    }
    this.say(jumps.length ? "" : "nothing here");
    this.fill();
  }

  shown() {
    return this.jumps.filter((jump) => !this.hidden.has(jump.kind));
  }

  fill() {
    this.list.replaceChildren(
      ...this.shown().map((jump) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.atNs = String(jump.at_ns);
        const time = document.createElement("span");
        time.textContent = clockText(jump.at_ns, 0);
        const words = document.createElement("span");
        words.textContent = `${kindOf(jump.kind).name}: ${jump.text}`;
        button.append(dot(jump.kind), time, words);
        button.addEventListener("click", () => this.onJump(jump));
        item.append(button);
        return item;
      }),
    );
  }

  // the nearest jump before (-1) or after (1) a time
  beside(atNs, way) {
    const shown = this.shown();
    return way > 0 ? shown.find((jump) => jump.at_ns > atNs + 1e6) : shown.findLast((jump) => jump.at_ns < atNs - 3e8);
  }
}

function dot(kind) {
  const mark = document.createElement("span");
  mark.className = "dot";
  mark.style.setProperty("--colour", kindOf(kind).colour);
  return mark;
}

export function showPicked(parent, one) {
  parent.replaceChildren();
  if (!one) return;
  const { box } = one;
  const list = document.createElement("dl");
  const rows = [
    ["category", box.category],
    ["score", box.score.toFixed(3)],
    ["source", box.source],
    ["network", box.network],
    ["its category", box.categoryRaw],
    ["its score", box.scoreRaw?.toFixed(3)],
    ["object", box.object],
  ];
  for (const [name, value] of rows) {
    if (value == null) continue;
    list.append(Object.assign(document.createElement("dt"), { textContent: name }));
    list.append(Object.assign(document.createElement("dd"), { textContent: value }));
  }
  const why = document.createElement("p");
  const code = document.createElement("code");
  code.textContent = `clipmill explain DIR ${box.detection}`;
  why.append("why it is there: ", code);
  parent.append(list, why);
}

export function telemetryText(telemetry, row) {
  if (row < 0) return "";
  const speed = telemetry.vehicle_speed_mps[row];
  const angle = telemetry.steering_wheel_angle[row];
  return [
    speed === null ? "" : `${(speed * 3.6).toFixed(0)} km/h (${speed.toFixed(1)} m/s)`,
    GEARS[telemetry.gear_state[row]] ?? "",
    angle === null ? "" : `steering ${angle.toFixed(1)}°`,
    telemetry.brake_applied[row] ? "brake" : "",
    telemetry.blinker_on_left[row] ? "◀ blinker" : "",
    telemetry.blinker_on_right[row] ? "blinker ▶" : "",
    AUTOPILOT[telemetry.autopilot_state[row]] ?? "",
  ]
    .filter(Boolean)
    .join(" · ");
}
