// The figure of vector fields, part 5: the user interface, put into every
// <div class="widget fields">; data-preset="name" on the div says what it starts with.
(function () {
  "use strict";
  const { EDGE, GAMES, MOST_STARTS, PRESETS, SPEC } = Fields;
  const { Figure, MESSAGES, button, control, format, presetButtons, ready } = Widgets;
  const STEPS = 400; // of a run, at most
  const PACE = 30; // steps a second
  const HOW =
    "Click or tap into the field to release a run; or, with the field focused, move the cross by the " +
    "arrow keys, release by Enter, take back by Backspace.";

  // key, name as read
  const ROWS = [
    ["jacobian", "eigenvalues of the Jacobian (crosses)"],
    ["step", "eigenvalues of one step (dots)"],
    ["rate", "predicted factor per step, the largest size"],
    ["measured", "measured factor per step, latest run"],
    ["stable", "step size up to which it converges"],
  ];
  const BUTTONS = [
    ["play", "Play"],
    ["once", "One step"],
    ["all", "Draw at once"],
    ["clear", "Clear"],
    ["link", "Link to these settings"],
  ];
  const fields = (...names) => names.map((name) => control("field", name, SPEC[name])).join("");

  const TEMPLATE = `
    ${presetButtons(PRESETS)}
    <div class="widget-main">
      <div class="fields-first">
        <canvas class="widget-stays" data-picture="plane" role="application" tabindex="0"></canvas>
        <p class="fields-now"></p>
        <div class="widget-buttons" role="group" aria-label="Runs">
          ${BUTTONS.map(([action, text]) => button(action, text)).join("")}
        </div>
        ${MESSAGES}
      </div>
      <div>
        <fieldset><legend>Game</legend>${fields("game", "curvature", "gamma")}</fieldset>
        <fieldset><legend>Algorithm</legend>${fields("algorithm", "weight", "step", "arrows")}</fieldset>
        <p class="widget-caption">Complex plane: the unit circle, eigenvalues</p>
        <canvas data-picture="eigenvalues" role="img"></canvas>
      </div>
      <div>
        <p class="widget-caption">Distance from the equilibrium, logarithmic: latest run solid, predicted dashed</p>
        <canvas data-picture="distances" role="img"></canvas>
      </div>
      <div>
        <table><caption>Near the equilibrium</caption>
          <thead><tr><th scope="col">Quantity</th><th scope="col">Value</th></tr></thead>
          <tbody>${ROWS.map(([key, name]) =>
            `<tr data-number="${key}"><th scope="row">${name}</th><td></td></tr>`).join("")}</tbody>
        </table>
      </div>
    </div>`;

  const REAL = 1e-6; // an imaginary part below this is rounding, as where two roots meet
  // a + b i, for people
  function complex([re, im]) {
    if (Math.abs(im) < REAL) return format(re, 3);
    return `${format(re, 3)} ${im < 0 ? "−" : "+"} ${format(Math.abs(im), 3)} i`;
  }

  // Two that differ by the sign of their imaginary parts are said as one.
  function several(values) {
    const [[re, im]] = values;
    if (values.length > 2 || Math.abs(im) < REAL) return values.map(complex).join(", ");
    return `${format(re, 3)} ± ${format(Math.abs(im), 3)} i`;
  }

  class FieldFigure extends Figure {
    constructor(root) {
      super(root, { tag: "field", spec: SPEC, presets: PRESETS, template: TEMPLATE });
      this.runs = [];
      this.cursor = [1, 1];
      this.picture = root.querySelector("[data-picture=plane]");
      this.picture.addEventListener("click", (event) => this.point(event));
      this.picture.addEventListener("keydown", (event) => this.key(event));
      for (const event of ["focus", "blur"]) this.picture.addEventListener(event, () => this.later());
      this.say(HOW);
      this.begin(root.dataset.preset || "circles");
    }

    // The same starts are played again by other rules, and shown to their end.
    changed(name) {
      const { settings } = this;
      const needed = { weight: settings.algorithm === "consensus" };
      for (const slider of ["curvature", "gamma"]) {
        needed[slider] = GAMES[settings.game].slider === slider;
      }
      for (const [slider, there] of Object.entries(needed)) {
        this.root.querySelector(`[data-row="${slider}"]`).hidden = !there;
      }
      if (name !== "arrows") this.replay();
      super.changed(name);
    }

    replay() {
      this.pause();
      this.game = Fields.makeGame(this.settings);
      this.prediction = Fields.predict(this.game, this.settings);
      this.stable = Fields.largestStableStep(this.game, this.settings);
      this.runs = this.settings.starts.map((start) => this.released(start));
      for (const run of this.runs) run.shown = run.path.length - 1;
    }

    released(start) {
      return { path: Fields.run(this.game, this.settings, start, STEPS), shown: 0 };
    }

    release(point) {
      const start = point.map((value) => Math.round(100 * value) / 100);
      if (this.settings.starts.length >= MOST_STARTS) {
        return this.say(`No more than ${MOST_STARTS} runs; press Clear.`);
      }
      this.settings = { ...this.settings, starts: [...this.settings.starts, start] };
      this.runs.push(this.released(start));
      this.say(`Released at ${start.map((value) => format(value, 2)).join(", ")}.`);
      return this.play();
    }

    press(action) {
      super.press(action);
      if (!action.startsWith("preset:")) return;
      for (const run of this.runs) run.shown = 0;
      this.play();
    }

    act(action) {
      if (action === "play") {
        if (this.runs.length === 0) return this.say(HOW);
        if (this.timer) return this.pause();
        if (!this.moving()) for (const run of this.runs) run.shown = 0;
        return this.play();
      }
      this.pause();
      if (action === "once") this.advance(1);
      if (action === "all") this.advance(STEPS);
      if (action === "clear") {
        this.settings = { ...this.settings, starts: [] };
        this.runs = [];
        this.say(HOW);
      }
      return this.changedRuns();
    }

    moving() {
      return this.runs.some((run) => run.shown < run.path.length - 1);
    }

    advance(steps) {
      for (const run of this.runs) run.shown = Math.min(run.shown + steps, run.path.length - 1);
    }

    changedRuns() {
      this.later();
      this.speak();
    }

    // Who asked for less motion gets the whole runs at once.
    play() {
      if (this.calm.matches) this.advance(STEPS);
      if (this.moving() && !this.timer) {
        this.root.querySelector("[data-do=play]").textContent = "Pause";
        let last = performance.now();
        this.timer = setInterval(() => {
          const steps = Math.floor(((performance.now() - last) * PACE) / 1000);
          last += (steps * 1000) / PACE;
          this.advance(steps);
          this.later();
          if (!this.moving()) this.pause();
        }, 1000 / PACE);
      }
      this.changedRuns();
    }

    pause() {
      clearInterval(this.timer);
      this.timer = null;
      this.root.querySelector("[data-do=play]").textContent = "Play";
      this.changedRuns();
    }

    // The measured factor of the latest run, as far as it is shown, and what it amounts to.
    measure() {
      const run = this.runs[this.runs.length - 1];
      if (!run) return [null, "no run yet"];
      const seen = run.path.slice(0, run.shown + 1);
      const rate = Fields.measuredRate(this.game, seen);
      if (rate === null) return [null, "too short a run to measure"];
      const word = Fields.verdict(rate, seen.length / 2);
      // Few steps change little, wherever they lead.
      const early = word === "circles" && seen.length < run.path.length;
      return [rate, early ? "too soon to tell" : word];
    }

    refresh() {
      const { game, prediction, settings } = this;
      const [rate, word] = this.measure();
      const texts = {
        jacobian: several(prediction.jacobian),
        step: several(prediction.step),
        rate: `${format(prediction.rate)}: ${Fields.verdict(prediction.rate)}`,
        measured: rate === null ? word : `${format(rate)}: ${word}`,
        stable: this.stable ? format(this.stable, 3) : "none",
      };
      for (const [name, text] of Object.entries(texts)) {
        this.root.querySelector(`[data-number="${name}"] td`).textContent = text;
      }
      const focused = document.activeElement === this.picture;
      const latest = this.runs[this.runs.length - 1];
      const picture = (name) => this.root.querySelector(`[data-picture="${name}"]`);
      Fields.plane(this.picture, game, GAMES[settings.game].axes, settings, this.runs, focused ? this.cursor : null);
      Fields.eigenvaluesPicture(picture("eigenvalues"), prediction);
      Fields.distances(picture("distances"), game, prediction.rate, latest);
      this.root.querySelector(".fields-now").textContent = this.sentence(word);
      const cross = this.cursor.map((value) => format(value, 1)).join(", ");
      this.picture.setAttribute("aria-label",
        `Field of the game with ${this.runs.length} runs, cross at ${cross}. ${this.sentence(word)}`);
      picture("eigenvalues").setAttribute("aria-label",
        `Eigenvalues of one step: ${texts.step}. The largest size is ${format(prediction.rate)}.`);
      picture("distances").setAttribute("aria-label",
        `Distance of the latest run from the equilibrium over steps. Measured factor: ${texts.measured}.`);
    }

    sentence(word) {
      const { rate } = this.prediction;
      const predicted = Fields.verdict(rate);
      const half = Math.abs(Math.LN2 / Math.log(rate));
      const pace = {
        converges: `the distance halves every ${format(half, 1)} steps`,
        circles: "the distance stays the same",
        diverges: `the distance doubles every ${format(half, 1)} steps`,
      }[predicted];
      const run = this.runs.length ? ` The latest run: ${word}.` : "";
      return `Near the equilibrium this ${predicted}: ${pace}.${run}`;
    }

    summary() {
      const [rate, word] = this.measure();
      const measured = rate === null ? "" : ` Measured factor ${format(rate)}, predicted ${format(this.prediction.rate)}.`;
      return this.sentence(word) + measured;
    }

    point(event) {
      const box = this.picture.getBoundingClientRect();
      const inside = (share) => EDGE * (2 * Math.min(Math.max(share, 0), 1) - 1);
      this.cursor = [
        inside((event.clientX - box.left) / box.width),
        -inside((event.clientY - box.top) / box.height),
      ];
      this.release(this.cursor);
    }

    key(event) {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      if (event.key === "Enter" || event.key === " ") this.release(this.cursor);
      else if (event.key === "Backspace") {
        this.set({ ...this.settings, starts: this.settings.starts.slice(0, -1) });
        this.say("The latest run is taken back.");
      } else if (moves[event.key]) {
        const to = (value, c) => Math.min(Math.max(value + 0.1 * moves[event.key][c], -EDGE), EDGE);
        this.cursor = this.cursor.map(to);
        this.say(`Cross at ${this.cursor.map((value) => format(value, 1)).join(", ")}.`);
        this.later();
      } else return;
      event.preventDefault();
    }
  }

  ready(() => {
    for (const root of document.querySelectorAll("div.widget.fields")) new FieldFigure(root);
  });
})();
