// The GAN laboratory, part 4: pictures. Each function draws one run on a canvas and changes nothing.
(function () {
  "use strict";
  const { EDGE, cellsPerSide, density, histogram, sigmoid, LOSSES, SHOWN } = GanLab;
  const ARROWS = 60;
  const CELLS = 50; // of the map of D, along a side

  // A canvas as sharp as its screen, in CSS pixels, wiped; with the colours of its theme.
  function prepare(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(`--lab-${name}`).trim();
    const pen = { width, height, context };
    for (const name of ["paper", "ink", "real", "fake", "judge", "rule"]) pen[name] = colour(name);
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

  function arrow(context, [x, y], [dx, dy]) {
    const length = Math.hypot(dx, dy);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + dx, y + dy);
    if (length > 4) {
      for (const turn of [2.6, -2.6]) {
        const angle = Math.atan2(dy, dx) + turn;
        context.moveTo(x + dx, y + dy);
        context.lineTo(x + dx + 4 * Math.cos(angle), y + dy + 4 * Math.sin(angle));
      }
    }
    context.stroke();
  }

  // Logits as numbers from -1, fake, to 1, real. Where the loss makes the logit a probability it
  // is that; else only differences mean something, and the lowest and highest are the ends.
  function verdicts(lab, x, n) {
    const logits = lab.D.forward(x, n).out;
    if (["minimax", "non-saturating"].includes(lab.settings.loss)) {
      return logits.map((logit) => 2 * sigmoid(logit) - 1);
    }
    const [low, high] = [Math.min(...logits), Math.max(...logits)];
    return logits.map((logit) => (2 * (logit - low)) / (high - low || 1) - 1);
  }

  function rgb(hex) {
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  }

  // What D says of each place: the colour of real, of fake, or paper where it cannot tell.
  function map(pen, lab) {
    const x = new Float64Array(2 * CELLS * CELLS);
    for (let i = 0; i < CELLS * CELLS; i++) {
      x[2 * i] = (((i % CELLS) + 0.5) / CELLS - 0.5) * 2 * EDGE;
      x[2 * i + 1] = (0.5 - (Math.floor(i / CELLS) + 0.5) / CELLS) * 2 * EDGE;
    }
    const small = document.createElement("canvas");
    small.width = small.height = CELLS;
    const context = small.getContext("2d");
    const image = context.createImageData(CELLS, CELLS);
    const [paper, real, fake] = [rgb(pen.paper), rgb(pen.real), rgb(pen.fake)];
    verdicts(lab, x, CELLS * CELLS).forEach((verdict, i) => {
      const [towards, share] = [verdict > 0 ? real : fake, 0.4 * Math.abs(verdict)];
      for (let c = 0; c < 3; c++) {
        image.data[4 * i + c] = paper[c] + share * (towards[c] - paper[c]);
      }
      image.data[4 * i + 3] = 255;
    });
    context.putImageData(image, 0, 0);
    pen.context.drawImage(small, 0, 0, pen.width, pen.height);
  }

  // Noise vectors along the first coordinate, or a net of lines along the first two; the others 0.
  function noiseLines(dim) {
    const range = (n) => Array.from({ length: n }, (_, i) => -2.4 + (4.8 * i) / (n - 1));
    const vector = (...head) => Array.from({ length: dim }, (_, c) => head[c] || 0);
    if (dim === 1) return [range(300).map((z) => vector(z))];
    const [fine, coarse] = [range(60), range(13)];
    return [
      ...coarse.map((fixed) => fine.map((z) => vector(z, fixed))),
      ...coarse.map((fixed) => fine.map((z) => vector(fixed, z))),
    ];
  }

  // Where the discriminator would move the first generated points.
  function pulls(lab) {
    const n = Math.min(ARROWS, lab.settings.batch);
    const z = lab.judgeNoise.slice(0, n * lab.settings.noise);
    const real = LOSSES[lab.settings.loss].paired ? lab.shown.slice(0, n * lab.data.dim) : null;
    const { fake, byPoints } = lab.generatorLoss(z, real);
    return { n, fake, pull: byPoints.map((part) => -n * part) };
  }

  // Arrows have one scale in all runs, so that a gradient that vanishes is seen to: a pull of 1 is
  // a tenth of the unit, and 0.4 units are the longest.
  function inUnits(pull) {
    const length = Math.hypot(...pull);
    return pull.map((part) => part * Math.min(0.1, 0.4 / (length || 1)));
  }

  function plane(canvas, lab, show, cursor) {
    const pen = prepare(canvas);
    const { context, width } = pen;
    const unit = width / (2 * EDGE);
    const at = (x, i) => [(x[2 * i] + EDGE) * unit, (EDGE - x[2 * i + 1]) * unit];
    if (show.map) map(pen, lab);
    if (show.manifold) {
      context.strokeStyle = pen.fake;
      context.globalAlpha = 0.55;
      for (const line of noiseLines(lab.settings.noise)) {
        const x = lab.averaged.forward(Float64Array.from(line.flat()), line.length).out;
        path(context, line.map((_, i) => at(x, i)));
      }
      context.globalAlpha = 1;
    }
    if (show.real) {
      context.strokeStyle = pen.real;
      for (let i = 0; i < lab.shown.length / 2; i++) {
        const [x, y] = at(lab.shown, i);
        context.beginPath();
        context.arc(x, y, 3, 0, 7);
        context.stroke();
      }
    }
    if (show.fake) {
      const x = lab.averaged.forward(lab.judgeNoise.slice(0, SHOWN * lab.settings.noise), SHOWN).out;
      context.fillStyle = pen.fake;
      for (let i = 0; i < SHOWN; i++) {
        const [left, top] = at(x, i);
        context.fillRect(left - 1.5, top - 1.5, 3, 3);
      }
    }
    if (show.arrows && lab.ready) {
      const { n, fake, pull } = pulls(lab);
      context.strokeStyle = pen.ink;
      for (let i = 0; i < n; i++) {
        const [dx, dy] = inUnits([pull[2 * i], pull[2 * i + 1]]);
        arrow(context, at(fake, i), [dx * unit, -dy * unit]);
      }
    }
    if (cursor) {
      const [x, y] = at(cursor, 0);
      context.strokeStyle = pen.ink;
      path(context, [[x - 9, y], [x + 9, y]]);
      path(context, [[x, y - 9], [x, y + 9]]);
    }
  }

  // On a line, as in figure 1 of Goodfellow et al. 2014: densities and D above, and below how the
  // generator carries the noise axis (lower) to the data axis (upper).
  function line(canvas, lab, show) {
    const pen = prepare(canvas);
    const { context, width, height } = pen;
    const base = height * 0.72;
    const left = (x) => ((x + EDGE) / (2 * EDGE)) * width;
    const steps = Array.from({ length: 301 }, (_, i) => -EDGE + (2 * EDGE * i) / 300);
    const truth = steps.map((x) => density(lab.data, x));
    const top = (value) => base - (value / (1.6 * Math.max(...truth))) * base;
    context.strokeStyle = pen.rule;
    path(context, [[0, base], [width, base]]);
    path(context, [[0, height - 8], [width, height - 8]]);
    if (show.manifold) {
      const [first] = noiseLines(lab.settings.noise).slice(-1);
      const shown = first.filter((_, i) => i % Math.ceil(first.length / 40) === 0);
      const x = lab.averaged.forward(Float64Array.from(shown.flat()), shown.length).out;
      const own = lab.settings.noise === 1 ? 0 : 1; // the coordinate that varies along the line
      context.strokeStyle = pen.fake;
      context.globalAlpha = 0.6;
      shown.forEach((z, i) => path(context, [[left(z[own] / 1.7), height - 8], [left(x[i]), base]]));
      context.globalAlpha = 1;
    }
    context.lineWidth = 2;
    if (show.fake) {
      const count = lab.judgeNoise.length / lab.settings.noise;
      const shares = histogram(lab.averaged.forward(lab.judgeNoise, count).out, 1);
      const wide = (2 * EDGE) / cellsPerSide(1);
      context.fillStyle = pen.fake;
      context.globalAlpha = 0.6;
      shares.subarray(0, -1).forEach((share, cell) => {
        const high = Math.max(top(share / wide), 2);
        context.fillRect(left(-EDGE + cell * wide), high, left(wide - EDGE) - 0.5, base - high);
      });
      context.globalAlpha = 1;
    }
    if (show.real) {
      context.strokeStyle = pen.real;
      path(context, steps.map((x, i) => [left(x), top(truth[i])]));
    }
    if (show.map) {
      const said = verdicts(lab, Float64Array.from(steps), steps.length);
      context.strokeStyle = pen.judge;
      context.setLineDash([6, 4]);
      path(context, steps.map((x, i) => [left(x), base * (0.5 - 0.46 * said[i])]));
      context.setLineDash([]);
    }
    if (show.arrows) {
      const { n, fake, pull } = pulls(lab);
      context.lineWidth = 1;
      context.strokeStyle = pen.ink;
      for (let i = 0; i < n; i++) {
        const [dx] = inUnits([pull[i]]);
        arrow(context, [left(fake[i]), base + 4 + (i % 8) * 4], [left(dx) - left(0), 0]);
      }
    }
  }

  // Curves over steps. `series`: lists of numbers, null where there is none; the second is dashed.
  // `pens`: their colours, "judge" for what is D's, "fake" for G's, "ink" for nobody's.
  function chart(canvas, series, { pens, low, high, logarithmic }) {
    const pen = prepare(canvas);
    const { context, width, height } = pen;
    const scaled = (value) => (logarithmic ? Math.log10(Math.max(value, 1e-9)) : value);
    const known = (value) => value !== null && Number.isFinite(value);
    const values = series.map((list) => list.map((value) => (known(value) ? scaled(value) : null)));
    const all = values.flat().filter((value) => value !== null);
    const bottom = low ?? Math.min(...all);
    const top = high ?? Math.max(...all);
    if (all.length > 0) {
      values.forEach((list, which) => {
        context.strokeStyle = pen[pens[which]];
        context.lineWidth = 2;
        context.setLineDash(which ? [5, 3] : []);
        const points = list.map((value, i) => [
          (i / Math.max(list.length - 1, 1)) * width,
          value === null ? null : 16 + (1 - (value - bottom) / (top - bottom || 1)) * (height - 32),
        ]);
        path(context, points.filter(([, y]) => y !== null));
      });
      context.setLineDash([]);
      const text = (value) => (logarithmic ? 10 ** value : value).toPrecision(2);
      context.fillStyle = pen.ink;
      context.fillText(text(top), 2, 12);
      context.fillText(text(bottom), 2, height - 3);
    }
  }

  Object.assign(GanLab, { plane, line, chart });
})();
