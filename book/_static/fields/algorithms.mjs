// The figure of vector fields, part 2: ways to play, their eigenvalues and rates, by the formulas
// of gancourse.theory.dynamics. Complex numbers are pairs [real, imaginary].
(function () {
  "use strict";
  const FAR = 1e6; // a run ends when it is so far from the equilibrium,
  const NEAR = 1e-10; // or so near, before rounding takes over

  const along = (w, h, v) => [w[0] + h * v[0], w[1] + h * v[1]];
  const times = (a, b) => a.map((row) => [0, 1].map((j) => row[0] * b[0][j] + row[1] * b[1][j]));
  const transposed = (a) => [[a[0][0], a[1][0]], [a[0][1], a[1][1]]];
  const apply = (a, v) => a.map((row) => row[0] * v[0] + row[1] * v[1]);
  // The identity plus h times a matrix, plus another matrix if there is one.
  const onestep = (h, a, more) =>
    a.map((row, i) => row.map((value, j) => (i === j ? 1 : 0) + h * value + (more ? more[i][j] : 0)));

  // J - weight J^T J, by which consensus moves.
  function agreed(j, weight) {
    const square = times(transposed(j), j);
    return j.map((row, i) => row.map((value, k) => value - weight * square[i][k]));
  }

  function alternate(game, w, before, h) {
    const moved = [w[0] + h * game.field(w)[0], w[1]];
    return [moved[0], moved[1] + h * game.field(moved)[1]];
  }

  // update: (game, w, the w before it, step size, weight) to the next w. eigenvalues: of the
  // matrix that takes w one step on near the equilibrium, from the Jacobian there.
  const ALGORITHMS = {
    simultaneous: {
      label: "simultaneous",
      update: (game, w, before, h) => along(w, h, game.field(w)),
      rates: (j) => eigenvalues(j),
      eigenvalues: (j, h) => eigenvalues(onestep(h, j)),
    },
    alternating: {
      label: "alternating, x first",
      update: alternate,
      eigenvalues: (j, h) => eigenvalues(times(
        [[1, 0], [h * j[1][0], 1 + h * j[1][1]]], [[1 + h * j[0][0], h * j[0][1]], [0, 1]],
      )),
    },
    extragradient: {
      label: "extragradient",
      update: (game, w, before, h) => along(w, h, game.field(along(w, h, game.field(w)))),
      eigenvalues: (j, h) => eigenvalues(
        onestep(h, j, times(j, j).map((row) => row.map((value) => h * h * value))),
      ),
    },
    optimistic: {
      label: "optimistic",
      update(game, w, before, h) {
        const [now, then] = [game.field(w), game.field(before)];
        return along(w, h, [2 * now[0] - then[0], 2 * now[1] - then[1]]);
      },
      // The state is (w, the w before it): for each eigenvalue m of J the two roots of
      // z^2 - (1 + 2 h m) z + h m, whose discriminant is 1 + 4 h^2 m^2.
      eigenvalues: (j, h) => eigenvalues(j).flatMap(([re, im]) => {
        const root = squareRoot([1 + 4 * h * h * (re * re - im * im), 8 * h * h * re * im]);
        return [1, -1].map((sign) => [
          0.5 * (1 + 2 * h * re + sign * root[0]), 0.5 * (2 * h * im + sign * root[1]),
        ]);
      }),
    },
    consensus: {
      label: "consensus",
      update(game, w, before, h, weight) {
        const v = game.field(w);
        const pull = apply(transposed(game.jacobian(w)), v);
        return along(w, h, [v[0] - weight * pull[0], v[1] - weight * pull[1]]);
      },
      rates: (j, weight) => eigenvalues(agreed(j, weight)),
      eigenvalues: (j, h, weight) => eigenvalues(onestep(h, agreed(j, weight))),
    },
  };

  // Of a 2 x 2 matrix: half the trace, plus and minus a root in which nothing cancels.
  function eigenvalues([[a, b], [c, d]]) {
    const [middle, square] = [(a + d) / 2, ((a - d) / 2) ** 2 + b * c];
    const root = Math.sqrt(Math.abs(square));
    if (square < 0) return [[middle, root], [middle, -root]];
    return [[middle + root, 0], [middle - root, 0]];
  }

  function squareRoot([re, im]) {
    const size = Math.hypot(re, im);
    const sign = im < 0 ? -1 : 1;
    return [Math.sqrt(Math.max(size + re, 0) / 2), sign * Math.sqrt(Math.max(size - re, 0) / 2)];
  }

  const largest = (values) => Math.max(...values.map((value) => Math.hypot(...value)));
  const atRest = (game) => game.jacobian(game.equilibrium);

  // What the eigenvalues say: of the Jacobian, of one step, and by what factor a step changes the
  // distance in the long run and near the equilibrium.
  function predict(game, { algorithm, step, weight }) {
    const jacobian = atRest(game);
    const moved = ALGORITHMS[algorithm].eigenvalues(jacobian, step, weight);
    return { jacobian: eigenvalues(jacobian), step: moved, rate: largest(moved) };
  }

  function distance(game, w) {
    return Math.hypot(w[0] - game.equilibrium[0], w[1] - game.equilibrium[1]);
  }

  // The positions of a run of at most so many steps.
  function run(game, { algorithm, step, weight }, start, steps) {
    const { update } = ALGORITHMS[algorithm];
    const path = [start];
    let before = start;
    for (let w = start; path.length <= steps; ) {
      const next = update(game, w, before, step, weight);
      if (!next.every(Number.isFinite)) break;
      path.push(next);
      const far = distance(game, next);
      if (far > FAR || far < NEAR) break;
      [before, w] = [w, next];
    }
    return path;
  }

  // By what factor a step changed the distance in the second half of a path: exp of the slope of
  // the straight line through the logarithms. null if the path is too short or ends at rest.
  function measuredRate(game, path) {
    const logs = path.slice(Math.floor(path.length / 2)).map((w) => Math.log(distance(game, w)));
    if (path.length < 4 || !logs.every(Number.isFinite)) return null;
    const middle = (logs.length - 1) / 2;
    const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
    let [above, below] = [0, 0];
    logs.forEach((value, t) => {
      above += (t - middle) * (value - mean);
      below += (t - middle) ** 2;
    });
    return Math.exp(above / below);
  }

  // The step size below which every step converges from near the equilibrium; 0 if none does.
  function largestStableStep(game, { algorithm, weight }) {
    const jacobian = atRest(game);
    const own = eigenvalues(jacobian);
    const size = Math.sqrt(largest(eigenvalues(times(transposed(jacobian), jacobian))));
    const { rates, eigenvalues: moved } = ALGORITHMS[algorithm];
    if (rates) {
      const all = rates(jacobian, weight);
      const bound = -1e-12 * largest(all);
      if (all.some(([re]) => re >= bound)) return 0;
      return Math.min(...all.map(([re, im]) => (-2 * re) / (re * re + im * im)));
    }
    const stable = (step) => largest(moved(jacobian, step, weight)) < 1 - 1e-11;
    let low = 0.01 / size;
    if (own.some(([re]) => re > 1e-12 * size) || !stable(low)) return 0;
    while (stable(1.02 * low)) low *= 1.02;
    let high = 1.02 * low;
    for (let i = 0; i < 40; i++) {
      const middle = (low + high) / 2;
      if (stable(middle)) low = middle;
      else high = middle;
    }
    return low;
  }

  // A factor in a word; `steps`: over how many it was measured, or none if it is exact.
  function verdict(rate, steps) {
    const change = steps ? Math.log(rate) * steps : Math.log(rate);
    if (Math.abs(change) <= (steps ? 0.25 : 1e-9)) return "circles";
    return change < 0 ? "converges" : "diverges";
  }

  Object.assign(Fields, {
    ALGORITHMS, distance, largestStableStep, measuredRate, predict, run, verdict,
  });
})();
