// What the interactive figures share: settings and their links, sliders, canvases, spoken summaries.
//
// A plain script with a global, as modules do not load from a file. Nothing here touches the page
// before a Figure is made, so that tests can load it without one.
(function () {
  "use strict";
  const SPOKEN = 900; // milliseconds of rest before a change is read out

  // A setting is {values: {name: label}}, {min, max, step}, or {parse, write, initial} for others.
  function parse(entry, text) {
    if (entry.parse) return entry.parse(text);
    if (entry.values) return Object.hasOwn(entry.values, text) ? text : undefined;
    const value = Number(text);
    const inside = text.trim() !== "" && value >= entry.min && value <= entry.max;
    return inside ? value : undefined;
  }

  const written = (entry, value) => (entry.write ? entry.write(value) : String(value));

  function defaults(spec) {
    return Object.fromEntries(Object.entries(spec).map(([name, entry]) => [name, entry.initial]));
  }

  function toFragment(tag, spec, settings) {
    const all = Object.entries(spec).map(([name, entry]) => [name, written(entry, settings[name])]);
    return new URLSearchParams([[tag, "1"], ...all]).toString();
  }

  // The settings of an address's fragment and what could not be read; null if it is not ours.
  function fromFragment(tag, spec, fragment) {
    const found = new URLSearchParams(fragment.replace(/^#/, ""));
    if (found.get(tag) !== "1") return null;
    const settings = defaults(spec);
    const problems = [];
    for (const [name, text] of found) {
      if (name === tag) continue;
      const value = Object.hasOwn(spec, name) ? parse(spec[name], text) : undefined;
      if (value === undefined) problems.push(`${name} cannot be ${text}`);
      else settings[name] = value;
    }
    return { settings, problems };
  }

  // A number for people: four decimals, powers of ten where those say nothing, words for infinity.
  function format(value, digits = 4) {
    if (value === null || Number.isNaN(value)) return "none";
    if (value === Infinity) return "infinite";
    if (value === -Infinity) return "minus infinity";
    const size = Math.abs(value);
    if (size >= 1e5 || (size > 0 && size < 0.5 * 10 ** -digits && size > 1e-9)) {
      const [head, power] = value.toExponential(2).split("e");
      return `${head} × 10^${Number(power)}`.replaceAll("-", "−");
    }
    const text = (size <= 1e-9 ? 0 : value).toFixed(digits);
    return text.replace("-", "−");
  }

  const fixed = (value, step) => {
    const decimals = (String(step).split(".")[1] || "").length;
    return value.toFixed(decimals).replace("-", "−");
  };

  // A labelled slider, list or box for a setting. `unit` may be text or depend on the settings.
  function control(tag, name, entry) {
    const id = `${tag}-${name}`;
    if (entry.values) {
      const options = Object.entries(entry.values).map(
        ([value, label]) => `<option value="${value}">${label}</option>`,
      );
      return `<div class="widget-field" data-row="${name}"><label for="${id}">${entry.label}</label>
        <select id="${id}" name="${name}">${options.join("")}</select></div>`;
    }
    return `<div class="widget-field" data-row="${name}"><label for="${id}">${entry.label}</label>
      <output for="${id}"></output>
      <input id="${id}" name="${name}" type="range" min="${entry.min}" max="${entry.max}"
        step="${entry.step}"></div>`;
  }

  const button = (action, text) => `<button type="button" data-do="${action}">${text}</button>`;

  function presetButtons(presets) {
    const all = Object.entries(presets).map(([name, [title]]) => button(`preset:${name}`, title));
    return `<div class="widget-buttons" role="group" aria-label="Show me">Show me: ${all.join("")}</div>`;
  }

  // A canvas as sharp as its screen, in CSS pixels, wiped; with the colours of its theme.
  function prepare(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const pen = { width, height, context };
    for (const name of ["paper", "ink", "real", "fake", "rule", "third"]) {
      pen[name] = style.getPropertyValue(`--widget-${name}`).trim();
    }
    context.font = `12px ${style.fontFamily}`;
    context.fillStyle = pen.paper;
    context.fillRect(0, 0, width, height);
    return pen;
  }

  function path(context, points) {
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
  }

  // Text on a ground of paper, so that curves do not cross it.
  function note(pen, text, x, y, align = "left") {
    const { context } = pen;
    context.textAlign = align;
    const wide = context.measureText(text).width;
    const left = align === "left" ? x : align === "right" ? x - wide : x - wide / 2;
    context.globalAlpha = 0.8;
    context.fillStyle = pen.paper;
    context.fillRect(left - 2, y - 11, wide + 4, 14);
    context.globalAlpha = 1;
    context.fillStyle = pen.ink;
    context.fillText(text, x, y);
  }

  let figures = 0; // in this page; each gets ids of its own

  // One figure in the page. A subclass gives refresh(), which draws and writes the numbers, and
  // summary(), a sentence that says them; it may also give act(name) for buttons of its own.
  class Figure {
    constructor(root, { tag, spec, presets, template }) {
      Object.assign(this, { root, tag, spec, presets });
      figures += 1;
      root.innerHTML = template.replaceAll(`"${tag}-`, `"${tag}${figures}-`);
      this.settings = defaults(spec);
      this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
      root.addEventListener("click", (event) => {
        const pressed = event.target.closest("[data-do]");
        if (pressed) this.press(pressed.dataset.do);
      });
      root.addEventListener("input", ({ target }) => this.change(target));
      new ResizeObserver(() => this.later()).observe(root);
      // The theme's switch changes an attribute of <html>.
      new MutationObserver(() => this.later()).observe(document.documentElement, {
        attributeFilter: ["data-theme"],
      });
      window.addEventListener("hashchange", () => this.followLink());
    }

    // What the first picture shows: the link's settings, or those of a preset.
    begin(preset) {
      if (!this.followLink()) this.set({ ...this.settings, ...this.presets[preset][1] });
    }

    followLink() {
      const linked = fromFragment(this.tag, this.spec, location.hash);
      if (!linked) return false;
      const { settings, problems } = linked;
      this.set(settings);
      if (problems.length === 0) this.say("Settings from the link.");
      else this.say(`The link could not be read in full (${problems.join("; ")}); the rest is as usual.`);
      return true;
    }

    set(settings) {
      this.settings = settings;
      for (const [name, entry] of Object.entries(this.spec)) this.show(name, entry);
      this.changed();
    }

    // Put the value of a setting into its control, and its text beside it.
    show(name, entry) {
      const row = this.root.querySelector(`[data-row="${name}"]`);
      if (!row) return;
      const field = row.querySelector("[name]");
      field.value = String(this.settings[name]);
      if (field.type !== "range") return;
      const number = fixed(this.settings[name], entry.step);
      row.querySelector("output").textContent = number;
      field.setAttribute("aria-valuetext", entry.unit ? `${number} ${entry.unit}` : number);
    }

    change(field) {
      const entry = this.spec[field.name];
      if (!entry) return this.later();
      const value = parse(entry, field.value);
      if (value === undefined) return undefined;
      this.settings = { ...this.settings, [field.name]: value };
      this.show(field.name, entry);
      return this.changed(field.name);
    }

    changed() {
      this.later();
      this.speak();
    }

    // Draw before the next picture, once however many sliders moved.
    later() {
      this.frame ??= requestAnimationFrame(() => {
        this.frame = undefined;
        const began = performance.now();
        this.refresh();
        // For whoever wants to know whether it keeps up, the tests among them.
        this.root.dataset.milliseconds = (performance.now() - began).toFixed(1);
      });
    }

    press(action) {
      const [kind, name] = action.split(":");
      if (kind === "preset") {
        const [title, settings, text] = this.presets[name];
        this.set({ ...defaults(this.spec), ...settings });
        this.say(`${title}: ${text}`);
      } else if (kind === "link") this.link();
      else this.act(kind);
    }

    say(text) {
      this.root.querySelector(".widget-said").textContent = text;
    }

    // Read the numbers out when the sliders have come to rest.
    speak(delay = SPOKEN) {
      clearTimeout(this.speaking);
      this.speaking = setTimeout(() => {
        this.root.querySelector(".widget-heard").textContent = this.summary();
      }, delay);
    }

    link() {
      const address = `${location.href.split("#")[0]}#${toFragment(this.tag, this.spec, this.settings)}`;
      history.replaceState(null, "", address);
      const told = "The address of this page now holds the settings";
      const elsewhere = () => this.say(`${told}; copy it from the address bar.`);
      // A page opened from a file may have no clipboard.
      if (!navigator.clipboard) return elsewhere();
      return navigator.clipboard
        .writeText(address)
        .then(() => this.say(`${told}, and is in the clipboard.`), elsewhere);
    }
  }

  // Run once the page is there.
  function ready(mount) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
    else mount();
  }

  // Where messages go, and below, heard and not seen, the numbers.
  const MESSAGES = `<p class="widget-said" role="status"></p>
    <p class="widget-heard" role="status" aria-live="polite"></p>`;

  globalThis.Widgets = {
    Figure, MESSAGES, button, control, defaults, fixed, format, fromFragment, note, path, prepare,
    presetButtons, ready, toFragment,
  };
})();
