// The figure of vector fields, part 4: pictures. Each function draws on a canvas and changes nothing.
(function () {
  "use strict";
  const { ALGORITHMS, EDGE, distance } = Fields;
  const { format, note, path, prepare } = Widgets;
  const ARROWS = 15; // along a side

  function arrow(context, [x, y], [dx, dy]) {
    const tip = [x + dx, y + dy];
    path(context, [[x, y], tip]);
    const angle = Math.atan2(dy, dx);
    const barb = (turn) => [tip[0] - 4 * Math.cos(angle + turn), tip[1] - 4 * Math.sin(angle + turn)];
    path(context, [barb(0.5), tip, barb(-0.5)]);
  }

  function cross(context, [x, y], size) {
    path(context, [[x - size, y], [x + size, y]]);
    path(context, [[x, y - size], [x, y + size]]);
  }

  function dot(context, [x, y], size) {
    context.beginPath();
    context.arc(x, y, size, 0, 7);
    context.fill();
  }

  // Arrows of one length would hide where the field is weak; true ones would hide the rest. Their
  // length grows as the root of the field's.
  function field(pen, at, unit, game, { algorithm, arrows, step, weight }) {
    const { context } = pen;
    const { update } = ALGORITHMS[algorithm];
    const move = (w) => {
      if (arrows === "game") return game.field(w);
      const next = update(game, w, w, step, weight);
      return next.map((value, c) => (value - w[c]) / step);
    };
    const gap = (2 * EDGE) / ARROWS;
    context.strokeStyle = pen.ink;
    context.globalAlpha = 0.55;
    for (let i = 0; i < ARROWS * ARROWS; i++) {
      const w = [((i % ARROWS) + 0.5) * gap - EDGE, (Math.floor(i / ARROWS) + 0.5) * gap - EDGE];
      const v = move(w);
      const size = Math.hypot(...v);
      if (size < 1e-9) continue;
      const length = Math.min(0.5 * Math.sqrt(size), 0.85) * gap * unit;
      const [dx, dy] = [(v[0] / size) * length, (-v[1] / size) * length];
      const [x, y] = at(w);
      arrow(context, [x - dx / 2, y - dy / 2], [dx, dy]);
    }
    context.globalAlpha = 1;
  }

  // The field, the runs as far as they are shown, the equilibrium and the cursor.
  function plane(canvas, game, axes, settings, runs, cursor) {
    const pen = prepare(canvas);
    const { context, width } = pen;
    const unit = width / (2 * EDGE);
    const at = ([x, y]) => [(x + EDGE) * unit, (EDGE - y) * unit];
    context.strokeStyle = pen.rule;
    path(context, [at([-EDGE, 0]), at([EDGE, 0])]);
    path(context, [at([0, -EDGE]), at([0, EDGE])]);
    field(pen, at, unit, game, settings);
    const colours = [pen.fake, pen.real, pen.third];
    runs.forEach(({ path: whole, shown }, i) => {
      const seen = whole.slice(0, shown + 1).map(at);
      context.strokeStyle = context.fillStyle = colours[i % 3];
      context.lineWidth = 1.75;
      path(context, seen);
      context.lineWidth = 1;
      for (const point of seen.slice(1)) dot(context, point, 1.8);
      dot(context, seen[0], 4);
      context.strokeRect(seen[seen.length - 1][0] - 4, seen[seen.length - 1][1] - 4, 8, 8);
    });
    context.strokeStyle = pen.ink;
    const rest = at(game.equilibrium);
    context.beginPath();
    context.arc(...rest, 6, 0, 7);
    context.stroke();
    cross(context, rest, 3);
    note(pen, axes[0], width - 6, at([0, 0])[1] - 6, "right");
    note(pen, axes[1], at([0, 0])[0] + 7, 14);
    if (cursor) {
      context.lineWidth = 2;
      cross(context, at(cursor), 10);
      context.lineWidth = 1;
    }
  }

  // The unit circle, eigenvalues of the Jacobian as crosses and of one step as dots.
  function eigenvalues(canvas, { jacobian, step }) {
    const pen = prepare(canvas);
    const { context, width, height } = pen;
    const sizes = [...jacobian, ...step].map((value) => Math.hypot(...value));
    const edge = 1.2 * Math.max(1, ...sizes);
    const unit = Math.min(width, height) / (2 * edge);
    const at = ([re, im]) => [width / 2 + re * unit, height / 2 - im * unit];
    context.strokeStyle = pen.rule;
    path(context, [[0, height / 2], [width, height / 2]]);
    path(context, [[width / 2, 0], [width / 2, height]]);
    context.strokeStyle = pen.ink;
    context.beginPath();
    context.arc(width / 2, height / 2, unit, 0, 7);
    context.stroke();
    note(pen, "1", width / 2 + unit + 3, height / 2 + 14);
    context.strokeStyle = pen.real;
    context.lineWidth = 2.5;
    for (const value of jacobian) cross(context, at(value), 6);
    context.lineWidth = 1;
    context.fillStyle = pen.fake;
    for (const value of step) dot(context, at(value), 4.5);
  }

  // The distance of the latest run from the equilibrium, step by step, on a logarithmic scale;
  // dashed, what the eigenvalues predict from its start.
  function distances(canvas, game, rate, run) {
    const pen = prepare(canvas);
    const { context, width, height } = pen;
    if (!run || run.path.length < 2) return note(pen, "no run yet", 8, 20);
    const steps = run.path.length - 1;
    const logs = run.path.map((w) => Math.log10(Math.max(distance(game, w), 1e-12)));
    const line = [logs[0], logs[0] + steps * Math.log10(Math.max(rate, 1e-12))];
    const [low, high] = [Math.min(...logs), Math.max(...logs)];
    const room = Math.max(0.1 * (high - low), 0.2);
    const [bottom, top] = [low - room, high + room];
    const at = (t, value) => [(t / steps) * width, height * (1 - (value - bottom) / (top - bottom))];
    context.lineWidth = 2;
    context.strokeStyle = pen.fake;
    path(context, logs.slice(0, run.shown + 1).map((value, t) => at(t, value)));
    context.lineWidth = 1.5;
    context.strokeStyle = pen.ink;
    context.setLineDash([5, 4]);
    path(context, line.map((value, i) => at(i * steps, value)));
    context.setLineDash([]);
    note(pen, format(10 ** top, 2), 4, 13);
    note(pen, format(10 ** bottom, 2), 4, height - 5);
    return note(pen, `${steps} steps`, width - 4, height - 5, "right");
  }

  Object.assign(Fields, { distances, eigenvaluesPicture: eigenvalues, plane });
})();
