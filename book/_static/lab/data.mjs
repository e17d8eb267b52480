// The GAN laboratory, part 2: the densities to learn, and how far a generator is from one.
//
// Ring, grid, two moons, spiral and line are those of gancourse.data, moved and scaled where they
// would leave the window, the interval or square from -1.5 to 1.5.
(function () {
  "use strict";
  const GanLab = (globalThis.GanLab = globalThis.GanLab || {});
  const EDGE = 1.5;

  function mixture(label, modes, std) {
    const dim = modes.length ? modes[0].length : 2;
    const draw = (random) => modes[random.below(modes.length)];
    return { label, dim, modes, std, draw };
  }

  // A density without modes: points of a curve, and noise.
  function curve(label, std, draw) {
    return { label, dim: 2, modes: [], std, draw };
  }

  const ring = Array.from({ length: 8 }, (_, i) => (Math.PI * i) / 4);
  const five = [-1, -0.5, 0, 0.5, 1];

  const DATA = {
    ring: mixture("ring of 8", ring.map((angle) => [Math.cos(angle), Math.sin(angle)]), 0.01),
    grid: mixture("grid of 25", five.flatMap((x) => five.map((y) => [x, y])), 0.0125),
    line: curve("line, without width", 0, (random) => [0, random.uniform()]),
    moons: curve("two moons", 0.05 / 1.5, (random) => {
      const lower = random.below(2);
      const angle = Math.PI * random.uniform();
      const [x, y] = [Math.cos(angle), Math.sin(angle)];
      return lower ? [(0.5 - x) / 1.5, (0.25 - y) / 1.5] : [(x - 0.5) / 1.5, (y - 0.25) / 1.5];
    }),
    spiral: curve("spiral", 0.02, (random) => {
      // The square root spreads the points about evenly along the arm, whose length grows as t^2.
      const turn = Math.sqrt(random.uniform());
      return [turn * Math.cos(3 * Math.PI * turn), turn * Math.sin(3 * Math.PI * turn)];
    }),
    drawn: mixture("points you draw", [], 0.03),
    one: mixture("1-D: one bump", [[0.6]], 0.1),
    two: mixture("1-D: two bumps", [[-0.7], [0.7]], 0.12),
    four: mixture("1-D: four bumps", [[-1.05], [-0.35], [0.35], [1.05]], 0.06),
  };

  // The data set of that name; drawn points are its modes.
  function dataset(name, points) {
    return name === "drawn" ? mixture(DATA.drawn.label, points, DATA.drawn.std) : DATA[name];
  }

  // n points, one after another.
  function sample(data, n, random) {
    const x = new Float64Array(n * data.dim);
    for (let i = 0; i < n; i++) {
      const point = data.draw(random);
      for (let c = 0; c < data.dim; c++) x[i * data.dim + c] = point[c] + data.std * random.normal();
    }
    return x;
  }

  // The density of a mixture on a line at x.
  function density(data, x) {
    const height = 1 / (data.std * Math.sqrt(2 * Math.PI) * data.modes.length);
    const at = ([mode]) => height * Math.exp(-0.5 * ((x - mode) / data.std) ** 2);
    return data.modes.reduce((sum, mode) => sum + at(mode), 0);
  }

  // The rule of gancourse.metrics.mode_coverage (Srivastava et al. 2017): a point is good if its
  // nearest mode is at most three standard deviations away; a mode is covered if it is nearest to
  // one good point.
  function modeCoverage(x, data) {
    const { dim, modes, std } = data;
    const counts = new Array(modes.length).fill(0);
    const n = x.length / dim;
    for (let i = 0; i < n; i++) {
      let [nearest, least] = [-1, Infinity];
      modes.forEach((mode, m) => {
        let square = 0;
        for (let c = 0; c < dim; c++) square += (x[i * dim + c] - mode[c]) ** 2;
        if (square < least) [nearest, least] = [m, square];
      });
      if (Math.sqrt(least) <= 3 * std) counts[nearest] += 1;
    }
    const covered = counts.filter((count) => count > 0).length;
    return { covered, counts, good: counts.reduce((sum, count) => sum + count, 0) / n };
  }

  // Shares of points in the cells of the window, and in one more for those outside. 25 cells a
  // side in the plane: no mode of ring or grid lies on an edge between two.
  const cellsPerSide = (dim) => (dim === 1 ? 60 : 25);

  function histogram(x, dim) {
    const side = cellsPerSide(dim);
    const n = x.length / dim;
    const shares = new Float64Array(side ** dim + 1);
    for (let i = 0; i < n; i++) {
      let cell = 0;
      for (let c = 0; c < dim; c++) {
        const at = Math.floor(((x[i * dim + c] + EDGE) / (2 * EDGE)) * side);
        // The comparison is also false for NaN, which so counts as outside.
        cell = at >= 0 && at < side && cell >= 0 ? cell * side + at : -1;
      }
      shares[cell >= 0 ? cell : side ** dim] += 1 / n;
    }
    return shares;
  }

  // KL divergence of p from q in nats; infinite where q has an empty cell that p has not.
  function kl(p, q) {
    let sum = 0;
    for (let c = 0; c < p.length; c++) if (p[c] > 0) sum += p[c] * Math.log(p[c] / q[c]);
    return sum;
  }

  // Jensen-Shannon divergence in nats: 0 for equal shares, log 2 = 0.69 for no cell in common.
  function js(p, q) {
    const middle = p.map((share, c) => (share + q[c]) / 2);
    return (kl(p, middle) + kl(q, middle)) / 2;
  }

  // Shares of n points as if each cell had held half a point more: finite KL.
  function smoothed(shares, n) {
    return shares.map((share) => (share * n + 0.5) / (n + shares.length / 2));
  }

  Object.assign(GanLab, { EDGE, DATA, dataset, sample, density });
  Object.assign(GanLab, { modeCoverage, cellsPerSide, histogram, kl, js, smoothed });
})();
