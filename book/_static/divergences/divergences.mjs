// The figure of divergences, part 5: the user interface, put into every
// <div class="widget divergences">; data-preset="name" on the div says what it starts with.
(function () {
  "use strict";
  const { INTEGRANDS, PRESETS, SPEC, compare, make, sideOf } = Divergences;
  const { Figure, MESSAGES, button, control, format, presetButtons, ready } = Widgets;

  // What "width" is for each shape; a bump almost a point has one of its own.
  const WIDTHS = {
    gaussian: "standard deviation", mixture: "standard deviation of each bump",
    laplace: "scale", uniform: "half the interval",
  };

  const percent = (share) => `${Math.round(100 * share)} %`;
  // key, name as read, range
  const ROWS = [
    ["kl", "KL(p ‖ q)", () => "no bound"],
    ["reverse", "KL(q ‖ p)", () => "no bound"],
    ["js", "JS(p, q)", (n) => `${percent(n.js / Math.LN2)} of log 2`],
    ["tv", "total variation", (n) => `${percent(n.tv)} of 1`],
    ["hellinger", "squared Hellinger", (n) => `${percent(n.hellinger / 2)} of 2`],
    ["pearson", "Pearson χ²(p ‖ q)", () => "no bound"],
    ["w1", "Wasserstein W1", () => "unit of x"],
    ["w2", "Wasserstein W2", () => "unit of x"],
    ["best", "V(D*, G) = −log 4 + 2 JS", () => "from −log 4 to 0"],
    ["value", "V(D, G) with your D", () => "at most V(D*, G)"],
    ["gap", "what your D misses", () => "0 only for D*"],
  ];

  const fields = (...names) => names.map((name) => control("div", name, SPEC[name])).join("");
  const side = (name) => fields(name, ...["Mean", "Second", "Width", "Weight"].map((part) => name + part));
  const canvas = (name, caption) =>
    `<p class="widget-caption">${caption}</p><canvas data-picture="${name}" role="img"></canvas>`;

  const TEMPLATE = `
    ${presetButtons(PRESETS)}
    <div class="widget-main">
      <div class="widget-stays">
        ${canvas("densities", "Data p solid, generator q dashed, their mean m dotted")}
        ${canvas("discriminators", "Best discriminator D* solid, yours dashed")}
        ${canvas("integrand", "<span></span>")}
      </div>
      <div>
        <fieldset><legend>Data, p</legend>${side("p")}</fieldset>
        <fieldset><legend>Generator, q</legend>${side("q")}</fieldset>
      </div>
      <div>
        <table><caption>How far q is from p, in nats where it is a logarithm</caption>
          <thead><tr><th scope="col">Quantity</th><th scope="col">Value</th><th scope="col">Range</th></tr></thead>
          <tbody>${ROWS.map(([key, name]) =>
            `<tr data-number="${key}"><th scope="row">${name}</th><td class="number"></td><td></td></tr>`).join("")}
          </tbody></table>
      </div>
      <div>
        <fieldset><legend>Your discriminator</legend>
          <p class="widget-caption">D(x) = σ(share × log(p/q) + slope × (x − zero))</p>
          ${fields("share", "slope", "threshold")}</fieldset>
        <fieldset><legend>Pictures</legend>${fields("shown", "scale")}</fieldset>
        <div class="widget-buttons">${button("swap", "Swap p and q")}
          ${button("link", "Link to these settings")}</div>
        ${MESSAGES}
      </div>
    </div>`;

  class DivergenceFigure extends Figure {
    constructor(root) {
      super(root, { tag: "div", spec: SPEC, presets: PRESETS, template: TEMPLATE });
      this.begin(root.dataset.preset || "shifted");
    }

    changed(name) {
      this.hide();
      super.changed(name);
    }

    // Only the sliders that the shape has.
    hide() {
      for (const name of ["p", "q"]) {
        const kind = this.settings[name];
        const row = (part) => this.root.querySelector(`[data-row="${name}${part}"]`);
        row("Second").hidden = row("Weight").hidden = kind !== "mixture";
        row("Width").hidden = kind === "point";
        const what = kind === "mixture" ? "First mean" : "Mean";
        row("Mean").querySelector("label").textContent = `${what} of ${name}`;
        if (kind !== "point") {
          row("Width").querySelector("label").textContent = `Width of ${name}: ${WIDTHS[kind]}`;
        }
      }
    }

    act(action) {
      if (action !== "swap") return;
      const other = (name) => (name[0] === "p" ? `q${name.slice(1)}` : `p${name.slice(1)}`);
      const own = Object.keys(SPEC).filter((name) => /^[pq]([A-Z]|$)/.test(name));
      const swapped = own.map((name) => [name, this.settings[other(name)]]);
      this.set({ ...this.settings, ...Object.fromEntries(swapped) });
      this.say("p and q have changed places.");
    }

    refresh() {
      const { settings } = this;
      const [p, q] = ["p", "q"].map((name) => make(sideOf(settings, name)));
      const { share, slope, threshold, shown, scale } = settings;
      const reader = { share, slope, threshold };
      const key = Object.values(settings).join();
      // A change of theme or of size leaves the numbers as they are.
      if (key !== this.key) this.numbers = compare(p, q, reader);
      this.key = key;
      for (const [name, , range] of ROWS) {
        const cells = this.root.querySelectorAll(`[data-number="${name}"] td`);
        cells[0].textContent = format(this.numbers[name]);
        cells[1].textContent = range(this.numbers);
      }
      const picture = (name) => this.root.querySelector(`[data-picture="${name}"]`);
      Divergences.densities(picture("densities"), p, q);
      Divergences.discriminators(picture("discriminators"), p, q, reader, scale === "logit");
      Divergences.integrand(picture("integrand"), p, q, reader, shown);
      this.describe(picture, shown, scale);
    }

    describe(picture, shown, scale) {
      const { settings, numbers: n } = this;
      const of = (name) => {
        const { kind, mean, second, width } = sideOf(settings, name);
        const places = kind === "mixture" ? `${mean} and ${second}` : `${mean}`;
        const wide = kind === "point" ? "" : `, width ${width}`;
        return `${name}: ${SPEC.p.values[kind]} at ${places}${wide}`;
      };
      const title = INTEGRANDS[shown];
      this.root.querySelector(".widget-caption span").textContent =
        `Integrand of ${title}. The area is ${format(n[shown])}.`;
      picture("densities").setAttribute("aria-label", `Two densities on a line. ${of("p")}; ${of("q")}.`);
      picture("discriminators").setAttribute("aria-label",
        `D* and your D over x, as ${scale}. V is ${format(n.best)} for D*, ${format(n.value)} for yours.`);
      picture("integrand").setAttribute("aria-label",
        `Integrand of ${title} over x; the area below it is ${format(n[shown])}.`);
    }

    summary() {
      const n = this.numbers;
      if (!n) return "";
      const say = (name) => format(n[name]);
      return `KL from p to q ${say("kl")}, from q to p ${say("reverse")}; JS ${say("js")}, ` +
        `${percent(n.js / Math.LN2)} of log 2; total variation ${say("tv")}; W1 ${say("w1")}. ` +
        `V is ${say("best")} for D*, ${say("value")} for your D.`;
    }
  }

  ready(() => {
    for (const root of document.querySelectorAll("div.widget.divergences")) {
      new DivergenceFigure(root);
    }
  });
})();
