// The figure of divergences, part 4: pictures. Each function draws on a canvas and changes nothing.
(function () {
  "use strict";
  const { TERMS, cdfDifference, logRatio, merged, readersLogit, sigmoid, terms } = Divergences;
  const { note, path, prepare, format } = Widgets;
  const EDGE = 6; // the window is from -6 to 6
  const LOGITS = 8; // and logits are drawn from -8 to 8
  const FOOT = 18; // pixels for the numbers on the axis

  // Places to draw at: evenly spaced, and both sides of every jump.
  function places(p, q) {
    const even = Array.from({ length: 481 }, (_, i) => -EDGE + (2 * EDGE * i) / 480);
    const jumps = [...p.breaks, ...q.breaks].flatMap((x) => [x - 1e-9, x, x + 1e-9]);
    return merged([even, jumps.filter((x) => Math.abs(x) <= EDGE)]);
  }

  function frame(canvas) {
    const pen = prepare(canvas);
    const { context, width, height } = pen;
    pen.left = (x) => ((x + EDGE) / (2 * EDGE)) * width;
    pen.base = height - FOOT;
    context.textAlign = "center";
    context.fillStyle = pen.ink;
    context.strokeStyle = pen.rule;
    for (let x = 2 - EDGE; x < EDGE; x += 2) {
      path(context, [[pen.left(x), 0], [pen.left(x), pen.base]]);
      context.fillText(String(x).replace("-", "−"), pen.left(x), height - 5);
    }
    path(context, [[0, pen.base], [width, pen.base]]);
    return pen;
  }

  function area(pen, points, colour) {
    const { context } = pen;
    context.fillStyle = colour;
    context.globalAlpha = 0.25;
    context.beginPath();
    context.moveTo(points[0][0], pen.base);
    for (const [x, y] of points) context.lineTo(x, y);
    context.lineTo(points[points.length - 1][0], pen.base);
    context.fill();
    context.globalAlpha = 1;
  }

  function curve(pen, points, colour, dash, wide) {
    const { context } = pen;
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.setLineDash(dash);
    path(context, points);
    context.setLineDash([]);
    context.lineWidth = 1;
  }

  // Both densities and their mean m. A peak more than four times the other's is cut off, or the
  // other could not be seen.
  function densities(canvas, p, q) {
    const pen = frame(canvas);
    const x = places(p, q);
    const [left, right] = [p, q].map((side) => x.map((at) => Math.exp(side.logProb(at))));
    const peaks = [Math.max(...left), Math.max(...right)];
    const top = 1.15 * Math.min(Math.max(...peaks), 4 * Math.min(...peaks));
    const at = (values) => values.map((value, i) => [
      pen.left(x[i]), pen.base * (1 - Math.min(value / top, 1.1)),
    ]);
    area(pen, at(left), pen.real);
    area(pen, at(right), pen.fake);
    curve(pen, at(left.map((value, i) => 0.5 * (value + right[i]))), pen.ink, [1, 3], 1.5);
    curve(pen, at(left), pen.real, [], 2.5);
    curve(pen, at(right), pen.fake, [7, 4], 2.5);
    note(pen, format(top, 2), 4, 13);
    // Letters beside the peaks, one on each side.
    [["p", left, peaks[0]], ["q", right, peaks[1]]].forEach(([name, values, peak], which) => {
      const spot = x[values.indexOf(peak)];
      const high = Math.max(pen.base * (1 - peak / top) - 4, 13);
      note(pen, peak > top ? `${name}, up to ${format(peak, 1)}` : name,
        pen.left(spot) + (which ? 10 : -10), high, which ? "left" : "right");
    });
  }

  // D* and the reader's D, as probabilities or as logits. Where neither has density D* is free.
  function discriminators(canvas, p, q, reader, asLogit) {
    const pen = frame(canvas);
    const { context, base } = pen;
    const high = (logit) => asLogit
      ? base * (0.5 - (0.46 * Math.min(Math.max(logit, -LOGITS), LOGITS)) / LOGITS)
      : base * (0.96 - 0.92 * sigmoid(logit));
    curve(pen, [[0, high(0)], [pen.width, high(0)]], pen.rule, [2, 3], 1);
    let piece = [];
    const pieces = [piece];
    const own = [];
    for (const x of places(p, q)) {
      const [logP, logQ] = [p.logProb(x), q.logProb(x)];
      const best = logRatio(logP, logQ);
      if (logP === -Infinity && logQ === -Infinity) {
        if (piece.length) pieces.push((piece = []));
      } else piece.push([pen.left(x), high(best)]);
      own.push([pen.left(x), high(readersLogit(reader, best, x))]);
    }
    for (const part of pieces) curve(pen, part, pen.third, [], 3);
    curve(pen, own, pen.ink, [3, 3], 1.75);
    const [top, bottom] = asLogit ? ["8", "−8"] : ["1: real", "0: fake"];
    context.fillStyle = pen.ink;
    note(pen, top, pen.width - 4, 13, "right");
    note(pen, bottom, 4, base - 4);
  }

  // The integrand of a quantity: the area is its value. Where it is infinite, a hatched block.
  function integrand(canvas, p, q, reader, name) {
    const pen = frame(canvas);
    const { context, base } = pen;
    const out = new Float64Array(TERMS.length);
    const at = (x) => name === "w1"
      ? Math.abs(cdfDifference(p, q, x))
      : terms(p, q, reader, x, out)[TERMS.indexOf(name)];
    const x = places(p, q);
    const values = x.map(at);
    const finite = values.filter(Number.isFinite);
    const top = 1.15 * (Math.max(...finite) || 1);
    const points = values.map((value, i) => [pen.left(x[i]), base * (1 - Math.min(value / top, 1))]);
    area(pen, points, pen.third);
    curve(pen, points, pen.third, [], 2);
    context.strokeStyle = pen.third;
    values.forEach((value, i) => {
      if (value === Infinity && i % 2) path(context, [[pen.left(x[i]), 0], [pen.left(x[i]), base]]);
    });
    const first = values.indexOf(Infinity);
    if (first >= 0) note(pen, "infinite", Math.min(pen.left(x[first]) + 4, pen.width - 60), 30);
    note(pen, format(top, 2), 4, 13);
  }

  Object.assign(Divergences, { densities, discriminators, integrand });
})();
