// The latent explorer, part 3: the user interface, put into every <div class="widget latent">.
(function () {
  "use strict";
  const { CELLS, PRESETS, SEEDS, SPEC, WHOLE } = Latent;
  const { Figure, MESSAGES, button, control, format, note, path, prepare, presetButtons, ready } = Widgets;
  const STRIP = 9; // images between the two, both among them
  const MARGIN = 4; // pixels about the pictures
  const PACE = 0.008; // of the way, a picture while it plays
  const SLICE = 12; // milliseconds of making images before each picture on the screen
  const ORDER = [4, 2, 6, 1, 3, 5, 7]; // in which the strip is filled, once its ends are there
  const HOW = "Press an image of the sheet to go there; drag along the strip, or move a slider, to leave it.";

  // key, name as read
  const ROWS = [
    ["length", "length of z"],
    ["first", "change from the first image, grey levels"],
    ["second", "change from the second image, grey levels"],
    ["time", "time for an image, milliseconds"],
    ["torch", "largest difference to PyTorch, pixels in [-1, 1]"],
  ];
  const BUTTONS = [
    ["play", "Play"],
    ["next", "Next seed"],
    ["home", "Directions to 0"],
    ["link", "Link to these settings"],
  ];
  const DIRECTIONS = Object.keys(SPEC).filter((name) => /^d\d+$/.test(name));
  const fields = (...names) => names.map((name) => control("latent", name, SPEC[name])).join("");
  const cells = Array.from({ length: CELLS }, (_, i) => i);

  const TEMPLATE = `
    ${presetButtons(PRESETS)}
    <div class="widget-main">
      <div class="explorer-first">
        <canvas class="widget-stays" data-picture="image" role="img"></canvas>
        <p class="explorer-now"></p>
        <div class="widget-buttons" role="group" aria-label="Actions">
          ${BUTTONS.map(([action, text]) => button(action, text)).join("")}
        </div>
        ${MESSAGES}
        <fieldset><legend>Between the two</legend>${fields("t", "way")}</fieldset>
      </div>
      <div>
        <div class="explorer-sheet" role="group" aria-busy="true">
          ${cells.map((i) => `<button type="button" data-do="cell:${i}"><canvas></canvas><span></span></button>`).join("")}
        </div>
        <fieldset><legend>Sheet</legend>${fields("picks", "seed", "threshold")}</fieldset>
      </div>
      <div>
        <fieldset><legend>Directions</legend>${fields(...DIRECTIONS)}</fieldset>
      </div>
      <div>
        <p class="widget-caption">Length of z on the way: solid as chosen, dashed the other way; the band holds 95 % of samples</p>
        <canvas data-picture="lengths" role="img"></canvas>
        <table><caption>The image</caption>
          <thead><tr><th scope="col">Quantity</th><th scope="col">Value</th></tr></thead>
          <tbody>${ROWS.map(([key, name]) =>
            `<tr data-number="${key}"><th scope="row">${name}</th><td></td></tr>`).join("")}</tbody>
        </table>
      </div>
    </div>`;

  // An image on a canvas of its own size, to be drawn larger.
  function painted(net, image, canvas = document.createElement("canvas")) {
    Object.assign(canvas, { width: net.width, height: net.height });
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(net.width, net.height);
    const colours = net.channels;
    for (let i = 0; i < net.width * net.height; i++) {
      for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = 127.5 * (image[i * colours + (c % colours)] + 1);
      pixels.data[4 * i + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  // The root of the mean square of the difference, on the scale 0 to 255.
  function change(image, other) {
    const squares = image.reduce((sum, value, i) => sum + (value - other[i]) ** 2, 0);
    return 127.5 * Math.sqrt(squares / image.length);
  }

  // 1.42 × 10^−6 as it is written by hand.
  const raised = (text) =>
    text.replace(/\^−(\d+)$/, (_, power) => `⁻${[...power].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("")}`);

  class LatentFigure extends Figure {
    constructor(root) {
      super(root, { tag: "latent", spec: SPEC, presets: PRESETS, template: TEMPLATE });
      this.net = Latent.unpack(LatentModel);
      this.torch = Latent.difference(this.net);
      this.sheets = new Map();
      this.made = {};
      this.strip = [];
      this.waiting = { strip: [], sheet: [] };
      this.spent = { milliseconds: 0, images: 0 }; // on the last sheet, or strip
      // A thousand seeds are too many for a slider's width: they can be typed.
      root.querySelector("[name=seed]").type = "number";
      this.followHand(root.querySelector("[data-picture=image]"));
      this.say(HOW);
      this.begin("sheet");
    }

    // A press on the strip goes there, and a hand that stays on it is followed.
    followHand(canvas) {
      const follow = ({ offsetX }) => {
        if (this.timer) this.pause();
        const { left, wide } = this.road;
        this.go(Math.round(100 * Math.min(Math.max((offsetX - left) / wide, 0), 1)) / 100);
      };
      canvas.addEventListener("pointerdown", (event) => {
        if (event.offsetY < this.road.top) return;
        canvas.setPointerCapture(event.pointerId);
        follow(event);
      });
      canvas.addEventListener("pointermove", (event) => {
        if (canvas.hasPointerCapture(event.pointerId)) follow(event);
      });
    }

    // The noise of a seed's sheet; the last few are kept.
    sheet(seed) {
      if (!this.sheets.has(seed)) {
        if (this.sheets.size > 3) this.sheets.clear();
        this.sheets.set(seed, Latent.noise(seed, CELLS, this.net.latent));
      }
      return this.sheets.get(seed);
    }

    // The end of the truncation's slider means none.
    show(name, entry) {
      super.show(name, entry);
      if (name === "seed") this.root.querySelector("[name=seed]").removeAttribute("aria-invalid");
      if (name !== "threshold" || this.settings.threshold < WHOLE) return;
      const row = this.root.querySelector(`[data-row="threshold"]`);
      row.querySelector("output").textContent = "none";
      row.querySelector("input").setAttribute("aria-valuetext", "none");
    }

    // A seed is typed, so it can be one that there is not.
    change(field) {
      const wrong =
        field.name === "seed" && field.value !== "" && SPEC.seed.parse(field.value) === undefined;
      if (!wrong) {
        field.removeAttribute("aria-invalid");
        return super.change(field);
      }
      field.setAttribute("aria-invalid", "true");
      const { seed } = this.settings;
      return this.say(`A seed is a whole number from 0 to ${SEEDS}; this is the sheet of seed ${seed}.`);
    }

    press(action) {
      const [kind, number] = action.split(":");
      if (kind !== "cell") return super.press(action);
      const { picks, seed } = this.settings;
      this.set({ ...this.settings, [picks]: [seed, Number(number)], t: picks === "a" ? 0 : 1 });
      return this.say(`Image ${Number(number) + 1} of seed ${seed} is ${SPEC.picks.values[picks]} now.`);
    }

    act(action) {
      if (action === "play") return this.timer ? this.pause() : this.play();
      const { settings } = this;
      if (action === "next") this.set({ ...settings, seed: (settings.seed + 1) % (SEEDS + 1) });
      if (action === "home") this.set({ ...settings, ...Object.fromEntries(DIRECTIONS.map((name) => [name, 0])) });
      return this.say(action === "next" ? `The sheet of seed ${this.settings.seed}.` : "All directions at 0.");
    }

    // To and fro between the two. Who asked for less motion goes a tenth of the way at a press.
    play() {
      if (this.calm.matches) {
        const next = Math.round(10 * this.settings.t + 1) / 10;
        return this.go(next > 1 ? 0 : next);
      }
      this.root.querySelector("[data-do=play]").textContent = "Pause";
      let forth = this.settings.t < 1;
      this.timer = setInterval(() => {
        const t = this.settings.t + (forth ? PACE : -PACE);
        if (t >= 1 || t <= 0) forth = t <= 0;
        this.go(Math.min(Math.max(t, 0), 1));
      }, 33);
      return undefined;
    }

    go(t) {
      this.settings = { ...this.settings, t };
      this.show("t", SPEC.t);
      this.later();
      if (!this.timer) this.speak();
    }

    pause() {
      clearInterval(this.timer);
      this.timer = null;
      this.root.querySelector("[data-do=play]").textContent = "Play";
      this.speak();
    }

    set(settings) {
      if (this.timer) this.pause();
      super.set(settings);
    }

    changed(name) {
      if (name === "t" && this.timer) this.pause();
      super.changed(name);
    }

    // Whether the settings that something depends on have changed since it was made.
    stale(name, key) {
      const text = JSON.stringify(key);
      if (this.made[name] === text) return false;
      this.made[name] = text;
      return true;
    }

    // The image, and the two at the ends, are made at once; what else has to be made waits.
    refresh() {
      const { net, settings } = this;
      const { a, b, seed, t, way } = settings;
      const threshold = settings.threshold < WHOLE ? settings.threshold : Infinity;
      const steps = DIRECTIONS.map((name) => settings[name]);
      const moved = (z) => Latent.moved(z, net.directions, steps);
      const image = (z) => Latent.generate(net, moved(z));
      const [from, to] = [a, b].map(([its, cell]) => Latent.truncate(this.sheet(its)[cell], threshold));
      const at = (share, kind) => Latent.between(from, to, share, kind);
      const last = STRIP - 1;
      const [strip, sheet] = [
        this.stale("strip", [a, b, way, threshold, steps]),
        this.stale("sheet", [seed, threshold, steps]),
      ];
      if (strip || sheet) this.spent = { milliseconds: 0, images: 0 };
      if (strip) {
        [this.strip[0], this.strip[last]] = [image(from), image(to)];
        this.waiting.strip = ORDER.map((i) => () => {
          this.strip[i] = image(at(i / last, way));
        });
      }
      if (sheet) {
        const all = this.sheet(seed);
        this.waiting.sheet = cells.map((i) => () => {
          painted(net, image(Latent.truncate(all[i], threshold)), this.cell(i).querySelector("canvas"));
        });
      }
      this.now = image(at(t, way));
      const curve = (kind) => Array.from({ length: 41 }, (_, i) => Latent.length(moved(at(i / 40, kind))));
      this.sizes = { arc: curve("arc"), straight: curve("straight"), here: Latent.length(moved(at(t, way))) };
      this.marks();
      this.work();
    }

    // As many of the images that wait as a slice holds, the strip before the sheet; then again before
    // the next picture. So a slider is followed at once on a slow phone too.
    work() {
      cancelAnimationFrame(this.working);
      const { strip, sheet } = this.waiting;
      const began = performance.now();
      let made = 0;
      while (strip.length + sheet.length > 0 && performance.now() - began < SLICE) {
        (strip.shift() ?? sheet.shift())();
        made += 1;
      }
      this.spent.milliseconds += performance.now() - began;
      this.spent.images += made;
      const left = strip.length + sheet.length > 0;
      this.root.querySelector(".explorer-sheet").setAttribute("aria-busy", String(left));
      this.write();
      if (left) this.working = requestAnimationFrame(() => this.work());
    }

    write() {
      const { net, now, sizes, strip } = this;
      this.numbers = {
        length: `${format(sizes.here, 1)} (samples: ${format(Math.sqrt(net.latent), 1)} ± ${format(Math.SQRT2, 1)})`,
        first: format(change(now, strip[0]), 0),
        second: format(change(now, strip[STRIP - 1]), 0),
        time: format(this.spent.milliseconds / this.spent.images, 1),
        torch: raised(format(this.torch, 4)),
      };
      for (const [name, text] of Object.entries(this.numbers)) {
        this.root.querySelector(`[data-number="${name}"] td`).textContent = text;
      }
      this.picture(strip, now, this.settings.t);
      this.lengths(sizes.arc, sizes.straight, sizes.here);
      this.root.querySelector(".explorer-now").textContent = this.sentence();
    }

    cell(i) {
      return this.root.querySelector(`[data-do="cell:${i}"]`);
    }

    // Which images of the sheet are the two.
    marks() {
      const { a, b, seed } = this.settings;
      this.root.querySelector(".explorer-sheet").setAttribute("aria-label", `Sheet of seed ${seed}`);
      for (const i of cells) {
        const mark = [[a, "first"], [b, "second"]].filter(([[its, n]]) => its === seed && n === i);
        const names = mark.map(([, name]) => name);
        const cell = this.cell(i);
        cell.querySelector("span").textContent = names.map((name) => (name === "first" ? "1" : "2")).join(" ");
        cell.setAttribute("aria-label", [`Image ${i + 1} of seed ${seed}`, ...names].join(", "));
      }
    }

    // The image, large, between the two; below it the way, and where on it we are.
    picture(strip, now, t) {
      const canvas = this.root.querySelector("[data-picture=image]");
      const pen = prepare(canvas);
      const { context, width, height } = pen;
      context.imageSmoothingEnabled = false;
      const draw = (image, x, y, side) => context.drawImage(painted(this.net, image), x, y, side, side);
      const small = (width - 2 * MARGIN) / STRIP;
      const large = height - small - 4 * MARGIN;
      const middle = (width - large) / 2;
      const side = Math.min(2 * small, middle - 2 * MARGIN);
      draw(now, middle, MARGIN, large);
      draw(strip[0], MARGIN, MARGIN + 16, side);
      draw(strip[STRIP - 1], width - MARGIN - side, MARGIN + 16, side);
      note(pen, "first", MARGIN, MARGIN + 11);
      note(pen, "second", width - MARGIN, MARGIN + 11, "right");
      const top = height - small - 2 * MARGIN;
      strip.forEach((image, i) => draw(image, MARGIN + i * small + 1, top, small - 2));
      this.road = { left: MARGIN + small / 2, wide: (STRIP - 1) * small, top: top - 2 * MARGIN };
      const x = this.road.left + t * this.road.wide;
      context.fillStyle = pen.third;
      context.beginPath();
      for (const [dx, dy] of [[-6, -2], [6, -2], [0, 6]]) context.lineTo(x + dx, top - MARGIN + dy);
      context.fill();
      canvas.setAttribute("aria-label", `An image the generator makes. ${this.sentence()}`);
    }

    // The length of z on both ways, and where samples are.
    lengths(arc, straight, size) {
      const canvas = this.root.querySelector("[data-picture=lengths]");
      const pen = prepare(canvas);
      const { context, width, height } = pen;
      const { t, way } = this.settings;
      const usual = Math.sqrt(this.net.latent);
      const most = Math.max(1.4 * usual, ...arc, ...straight);
      const x = (share) => 30 + share * (width - 40);
      const y = (value) => height - 8 - (value / most) * (height - 20);
      context.globalAlpha = 0.2;
      context.fillStyle = pen.real;
      context.fillRect(x(0), y(usual + Math.SQRT2), x(1) - x(0), y(usual - Math.SQRT2) - y(usual + Math.SQRT2));
      context.globalAlpha = 1;
      for (const value of [0, usual]) {
        note(pen, format(value, 0), 26, y(value) + 4, "right");
      }
      for (const [kind, values] of [["arc", arc], ["straight", straight]]) {
        context.strokeStyle = kind === way ? pen.fake : pen.ink;
        context.lineWidth = kind === way ? 2 : 1;
        context.setLineDash(kind === way ? [] : [4, 4]);
        path(context, values.map((value, i) => [x(i / (values.length - 1)), y(value)]));
      }
      context.setLineDash([]);
      context.fillStyle = pen.fake;
      context.beginPath();
      context.arc(x(t), y(size), 5, 0, 2 * Math.PI);
      context.fill();
      const middle = (values) => format(values[(values.length - 1) / 2], 1);
      canvas.setAttribute("aria-label",
        `Length of z on the way. Half-way it is ${middle(arc)} along the arc and ${middle(straight)} straight; ` +
        `here it is ${format(size, 1)}.`);
    }

    sentence() {
      const { a, b, t, way } = this.settings;
      const name = ([seed, cell]) => `image ${cell + 1} of seed ${seed}`;
      const road = way === "arc" ? "arc" : "straight way";
      const place = t === 0 ? `At ${name(a)}` : t === 1 ? `At ${name(b)}` :
        `${format(100 * t, 0)} % of the ${road} from ${name(a)} to ${name(b)}`;
      return `${place}; length of z ${this.numbers ? this.numbers.length.split(" ")[0] : ""}.`;
    }

    summary() {
      const { first, second } = this.numbers;
      return `${this.sentence()} Changed by ${first} grey levels from the first image, ${second} from the second.`;
    }
  }

  ready(() => {
    for (const root of document.querySelectorAll("div.widget.latent")) new LatentFigure(root);
  });
})();
