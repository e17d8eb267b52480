// The GAN laboratory, part 5: the user interface, put into every <div class="gan-lab">.
//
// data-preset="name" or data-settings="loss=...&k=..." on the div say what it starts with; settings
// in the page's address come first. Nothing moves before the reader presses a button.
(function () {
  "use strict";
  const { DATA, LOSSES, SETTINGS, MOST_POINTS, EDGE, Lab, defaults, toFragment } = GanLab;

  // name: [title, settings that differ from the defaults, what to look at]
  const PRESETS = {
    works: ["a game that works", {}, "the samples find one mode after another."],
    collapse: [
      "mode collapse",
      { rateG: 0.01, rateD: 0.001, beta1: 0.9, average: 0 },
      "G, ten times as fast as D, puts all its samples into one place.",
    ],
    circling: [
      "circling",
      { data: "one", beta1: 0.9, rateG: 0.01, rateD: 0.01, batch: 32, average: 0 },
      "the samples swing about the bump; see the mean. Then set the weight of the penalty to 1.",
    ],
    vanishing: [
      "vanishing gradients",
      { data: "line", loss: "minimax", k: 10, rateD: 0.01, average: 0 },
      "D is soon sure of everything, and the generator's gradient falls to nothing.",
    ],
  };

  const HISTORY = 400; // measurements kept; when full, every second goes
  const FRAME = 14; // milliseconds of training between two pictures, or as long as one takes
  const SLOW = 700; // milliseconds from one player's step to the next
  const CALM = 1000; // milliseconds between pictures for who asks for less motion
  const SPOKEN = 10000; // milliseconds between two announcements of a run that plays

  const labels = (table) => Object.entries(table).map(([value, entry]) => [value, entry.label]);
  const numbers = (...values) => values.map((value) => [value, String(value)]);
  const RATES = numbers(0, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05);
  // name, label, values to choose from; the seed is typed.
  const FIRST = [
    ["data", "Data", labels(DATA)],
    ["loss", "Loss", labels(LOSSES)],
    ["k", "D steps per G step (k)", numbers(1, 2, 3, 5, 10, 20)],
    ["penalty", "Weight of the gradient penalty", numbers(0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)],
  ];
  const MORE = [
    ["rateD", "Learning rate of D", RATES],
    ["rateG", "Learning rate of G", RATES],
    ["widthD", "Width of D", numbers(4, 8, 16, 32, 64, 128)],
    ["widthG", "Width of G", numbers(4, 8, 16, 32, 64, 128)],
    ["activation", "Activation", [["leaky", "leaky ReLU"], ["tanh", "tanh"]]],
    ["noise", "Noise dimension", numbers(1, 2, 3, 4, 8, 16)],
    ["batch", "Points per step", numbers(16, 32, 64, 128, 256)],
    ["beta1", "Adam's momentum, beta1", numbers(0, 0.5, 0.9)],
    ["average", "Averaging of G (0: none)", numbers(0, 0.9, 0.99, 0.995)],
    ["seed", "Seed", null],
  ];
  const LAYERS = [
    ["real", "data (circles)", true],
    ["fake", "samples (squares)", true],
    ["map", "D: where it says real, where fake", true],
    ["manifold", "G: the noise grid, carried over", false],
    ["arrows", "pull of D on the samples", false],
  ];
  const BUTTONS = [
    ["play", "Play"],
    ["d", "One D step"],
    ["g", "One G step"],
    ["step", "One step"],
    ["reset", "Reset"],
  ];
  const CHARTS = [
    ["losses", "Losses: D solid, G dashed", (m) => [m.lossD, m.lossG], {
      pens: ["judge", "fake"],
    }],
    ["modes", "Share of modes covered solid, JS / log 2 dashed", (m, data) => [
      data.modes.length ? m.covered / data.modes.length : null, m.js / Math.LN2,
    ], { pens: ["ink", "ink"], low: 0, high: 1 }],
    ["gradient", "Length of G's gradient, logarithmic", (m) => [m.gradientG], {
      pens: ["fake"], logarithmic: true,
    }],
    ["mean", "Mean of the samples (first coordinate)", (m) => [m.mean], {
      pens: ["fake"], low: -EDGE, high: EDGE,
    }],
  ];

  const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

  function control([name, label, values]) {
    const options = (values || []).map(([value, text]) => `<option value="${value}">${text}</option>`);
    const field = values
      ? `<select name="${name}">${options.join("")}</select>`
      : `<input name="${name}" type="number" min="0" max="${SETTINGS[name].max}" step="1">`;
    return `<label>${escape(label)} ${field}</label>`;
  }

  const button = ([name, text]) => `<button type="button" data-do="${name}">${text}</button>`;

  const TEMPLATE = `
    <div class="gan-lab-presets" role="group" aria-label="Show me">Show me:
      ${Object.entries(PRESETS).map(([name, [text]]) => button([`preset:${name}`, text])).join("")}
    </div>
    <div class="gan-lab-main">
      <div>
        <canvas class="gan-lab-picture" role="img"></canvas>
        <p class="gan-lab-now"></p>
        <p class="gan-lab-said" role="status"><span></span> <span class="gan-lab-heard"></span></p>
      </div>
      <div>
        <div class="gan-lab-buttons" role="group" aria-label="Run">
          ${BUTTONS.map(button).join("")}
          <label><input type="checkbox" name="slow"> slow, one player at a time</label>
        </div>
        <div class="gan-lab-fields">${FIRST.map(control).join("")}</div>
        <fieldset><legend>Show</legend>
          ${LAYERS.map(([name, text, on]) =>
            `<label><input type="checkbox" name="show-${name}"${on ? " checked" : ""}> ${text}</label>`,
          ).join("")}
        </fieldset>
        <details><summary>More settings</summary>
          <div class="gan-lab-fields">${MORE.map(control).join("")}</div>
        </details>
        ${button(["link", "Link to these settings"])}
      </div>
    </div>
    <div class="gan-lab-charts">
      ${CHARTS.map(([name, text]) =>
        `<div><p>${text}</p><canvas data-chart="${name}" role="img"></canvas></div>`,
      ).join("")}
    </div>`;

  class Panel {
    constructor(root, settings, said) {
      this.root = root;
      root.innerHTML = TEMPLATE;
      this.picture = root.querySelector(".gan-lab-picture");
      this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
      this.playing = false;
      this.cursor = [0, 0];
      root.addEventListener("click", (event) => {
        const pressed = event.target.closest("[data-do]");
        if (pressed) this.press(pressed.dataset.do);
      });
      root.addEventListener("change", (event) => this.change(event.target));
      this.picture.addEventListener("pointerdown", (event) => this.point(event));
      this.picture.addEventListener("keydown", (event) => this.key(event));
      new ResizeObserver(() => this.draw()).observe(root);
      // The theme's switch changes an attribute of <html>.
      new MutationObserver(() => this.draw()).observe(document.documentElement, {
        attributeFilter: ["data-theme"],
      });
      this.start(settings, said);
    }

    field(name) {
      return this.root.querySelector(`[name="${name}"]`);
    }

    // A new run with these settings.
    start(settings, said) {
      this.lab = new Lab(settings);
      this.turn = 0; // D steps since the last G step, when slow
      this.history = [];
      this.latest = null;
      this.interval = 10; // steps between two measurements
      for (const [name, , values] of [...FIRST, ...MORE]) {
        const [field, value] = [this.field(name), this.lab.settings[name]];
        // A link may hold a value that is not among those offered.
        if (values && ![...field.options].some((option) => option.value === String(value))) {
          field.add(new Option(String(value), String(value)));
        }
        field.value = String(value);
      }
      const drawn = this.lab.settings.data === "drawn";
      this.picture.classList.toggle("drawn", drawn);
      this.picture.tabIndex = drawn ? 0 : -1;
      this.picture.setAttribute("role", drawn ? "application" : "img");
      this.measure();
      this.draw();
      this.say(said || (drawn ? this.howToDraw() : "Ready."));
    }

    howToDraw() {
      return (
        "Click into the picture to add a point; or, with the picture focused, move the cross by " +
        "the arrow keys, add by Enter, take back by Backspace."
      );
    }

    press(what) {
      if (what.startsWith("preset:")) return this.preset(what.slice(7));
      if (what === "reset") {
        this.pause();
        return this.start(this.lab.settings, "Reset: both players forget what they learned.");
      }
      if (what === "link") return this.link();
      if (!this.lab.ready) return this.say(this.howToDraw());
      if (what === "play") return this.playing ? this.pause("Paused.") : this.play();
      this.pause();
      if (this.lab.diverged) return this.say("Stopped.");
      if (what === "d") this.lab.stepD();
      if (what === "g") this.lab.stepG();
      if (what === "step") this.lab.step();
      this.measure();
      this.draw();
      const done = { d: "D made one step.", g: "G made one step.", step: "One step." }[what];
      return this.say(done);
    }

    preset(name) {
      const [title, settings, text] = PRESETS[name];
      this.pause();
      this.start({ ...defaults(), ...settings }, `${title}: ${text} Press Play.`);
    }

    change(field) {
      const { name } = field;
      if (!Object.hasOwn(SETTINGS, name)) return this.draw();
      const value = GanLab.parse(name, field.value);
      if (value === undefined) {
        field.value = String(this.lab.settings[name]);
        return this.say(`${name} must be a whole number from 0 to ${SETTINGS[name].max}.`);
      }
      const settings = { ...this.lab.settings, [name]: value };
      if (name === "loss") settings.penalty = LOSSES[value].penalty;
      if (SETTINGS[name].builds) {
        this.pause();
        return this.start(settings);
      }
      // What does not shape the networks can be changed while they play.
      this.lab.settings = settings;
      this.field("penalty").value = String(settings.penalty);
      this.draw();
      return this.say("Changed; the run goes on.");
    }

    play() {
      this.playing = true;
      this.root.querySelector("[data-do=play]").textContent = "Pause";
      this.spoken = performance.now();
      this.say("Playing.");
      this.next();
    }

    pause(said) {
      this.playing = false;
      cancelAnimationFrame(this.frame);
      clearTimeout(this.timer);
      this.root.querySelector("[data-do=play]").textContent = "Play";
      if (said) this.say(said);
    }

    // Some training, then a picture: in every frame, or each second for who wants it calm.
    next() {
      if (this.field("slow").checked) this.slowly();
      else {
        const end = performance.now() + Math.max(FRAME, this.drawing);
        do {
          this.lab.step();
          if (this.lab.steps % this.interval === 0) this.measure();
        } while (!this.lab.diverged && performance.now() < end);
      }
      if (this.lab.diverged) {
        this.draw();
        return this.pause("Stopped.");
      }
      if (!this.calm.matches || performance.now() - this.drawn > CALM) this.draw();
      if (performance.now() - this.spoken > SPOKEN) {
        this.spoken = performance.now();
        this.say("Playing.");
      }
      const again = () => this.next();
      if (this.field("slow").checked) this.timer = setTimeout(again, SLOW);
      else this.frame = requestAnimationFrame(again);
    }

    slowly() {
      const { k } = this.lab.settings;
      if (this.turn < k) {
        this.lab.stepD();
        this.turn += 1;
        this.moved = `D step ${this.turn} of ${k}: the map changes, the samples stay.`;
      } else {
        this.lab.stepG();
        this.turn = 0;
        this.moved = "G step: the samples move, the map stays.";
      }
      this.measure();
    }

    measure() {
      if (!this.lab.ready) return;
      this.latest = this.lab.measure();
      this.history.push(this.latest);
      if (this.history.length > HISTORY) {
        this.history = this.history.filter((_, i) => i % 2 === 0);
        this.interval *= 2;
      }
    }

    summary() {
      const { latest: m, lab } = this;
      if (!lab.ready) return "No data yet.";
      const step = `Step ${m.steps}`;
      if (lab.diverged) {
        return `${step}: a loss is no longer a number. The run has diverged; press Reset.`;
      }
      const count = lab.data.modes.length;
      const modes = count
        ? ` ${m.covered} of ${count} modes covered, ${Math.round(100 * m.good)} % of the samples at one.`
        : "";
      return `${step}.${modes} JS ${m.js.toFixed(3)} of at most 0.693, KL ${m.kl.toFixed(2)}.`;
    }

    draw() {
      const began = performance.now();
      this.drawPicture();
      if (this.charted !== this.latest || !this.playing) this.drawCharts();
      this.charted = this.latest;
      this.drawn = performance.now();
      this.drawing = this.drawn - began;
    }

    drawPicture() {
      const slow = this.playing && this.field("slow").checked;
      const now = this.summary();
      this.root.querySelector(".gan-lab-now").textContent = slow ? `${this.moved} ${now}` : now;
      this.picture.setAttribute("aria-label", this.describe(now));
      const show = Object.fromEntries(
        LAYERS.map(([name]) => [name, this.field(`show-${name}`).checked]),
      );
      const { lab } = this;
      if (lab.data.dim === 1) GanLab.line(this.picture, lab, show);
      else {
        const drawing = lab.settings.data === "drawn" && document.activeElement === this.picture;
        GanLab.plane(this.picture, lab, show, drawing ? this.cursor : null);
      }
    }

    drawCharts() {
      for (const [name, text, values, options] of CHARTS) {
        const canvas = this.root.querySelector(`[data-chart=${name}]`);
        const rows = this.history.map((m) => values(m, this.lab.data));
        const series = rows.length ? rows[0].map((_, which) => rows.map((row) => row[which])) : [];
        GanLab.chart(canvas, series, options);
        canvas.setAttribute("aria-label", `Curves over steps. ${text}. ${this.summary()}`);
      }
    }

    describe(now) {
      const { data, settings } = this.lab;
      if (settings.data === "drawn") {
        const [x, y] = this.cursor.map((value) => value.toFixed(2));
        return `Drawing area with ${settings.points.length} points, cross at ${x}, ${y}. ${now}`;
      }
      return `The data (${data.label}), the generator's samples and what the discriminator says. ${now}`;
    }

    // For everyone, and, for who cannot see it, what stands below the picture.
    say(text) {
      const [seen, heard] = this.root.querySelectorAll(".gan-lab-said span");
      seen.textContent = text;
      heard.textContent = this.summary();
    }

    link() {
      const address = `${location.href.split("#")[0]}#${toFragment(this.lab.settings)}`;
      history.replaceState(null, "", address);
      const told = "The address of this page now holds the settings";
      // A page opened from a file may have no clipboard.
      if (!navigator.clipboard) return this.say(`${told}; copy it from the address bar.`);
      return navigator.clipboard.writeText(address).then(
        () => this.say(`${told}, and is in the clipboard.`),
        () => this.say(`${told}; copy it from the address bar.`),
      );
    }

    add(point) {
      const { points } = this.lab.settings;
      if (points.length >= MOST_POINTS) return this.say(`No more than ${MOST_POINTS} points.`);
      return this.redrawn([...points, point.map((value) => Math.round(100 * value) / 100)]);
    }

    redrawn(points) {
      this.pause();
      this.start({ ...this.lab.settings, points }, `${points.length} points. ${this.howToDraw()}`);
    }

    point(event) {
      if (this.lab.settings.data !== "drawn") return;
      const box = this.picture.getBoundingClientRect();
      const inside = (share) => EDGE * (2 * Math.min(Math.max(share, 0), 1) - 1);
      this.cursor = [
        inside((event.clientX - box.left) / box.width),
        -inside((event.clientY - box.top) / box.height),
      ];
      this.add(this.cursor);
    }

    key(event) {
      if (this.lab.settings.data !== "drawn") return;
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      if (event.key === "Enter" || event.key === " ") this.add(this.cursor);
      else if (event.key === "Backspace") this.redrawn(this.lab.settings.points.slice(0, -1));
      else if (moves[event.key]) {
        const to = (value, c) => Math.min(Math.max(value + 0.1 * moves[event.key][c], -EDGE), EDGE);
        this.cursor = this.cursor.map(to);
        this.draw();
      } else return;
      event.preventDefault();
    }
  }

  // What a laboratory starts with, and what to say about it.
  function beginning(root) {
    const { preset, settings } = root.dataset;
    const linked = GanLab.fromFragment(location.hash);
    if (linked) {
      const { problems } = linked;
      const trouble = `The link could not be read in full (${problems.join("; ")}); the rest is as usual.`;
      return [linked.settings, problems.length ? trouble : "Settings from the link. Press Play."];
    }
    if (settings) return [GanLab.fromFragment(`lab=1&${settings}`).settings];
    return [{ ...defaults(), ...PRESETS[preset || "works"][1] }];
  }

  function mount() {
    for (const root of document.querySelectorAll("div.gan-lab")) {
      const panel = new Panel(root, ...beginning(root));
      window.addEventListener("hashchange", () => {
        if (!GanLab.fromFragment(location.hash)) return;
        panel.pause();
        panel.start(...beginning(root));
      });
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
  else mount();
})();
