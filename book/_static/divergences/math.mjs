// The figure of divergences, part 2: how far q is from p, by the formulas of gancourse.theory.
//
// compare(p, q, discriminator) gives every number of the table, terms() the integrands at a point.
(function () {
  "use strict";
  const { merged } = Divergences;
  const { LN2, abs, exp, expm1, log, log1p, max, min } = Math;

  // Gauss-Legendre nodes and weights on the unit interval, by Newton from Chebyshev's nodes.
  function rule(n) {
    return Array.from({ length: n }, (_, i) => {
      let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
      let slope = 1;
      for (let round = 0; round < 20; round++) {
        let [before, here] = [1, x];
        for (let k = 2; k <= n; k++) [before, here] = [here, ((2 * k - 1) * x * here - (k - 1) * before) / k];
        slope = (n * (x * here - before)) / (x * x - 1);
        x -= here / slope;
      }
      return { at: (1 - x) / 2, weight: 1 / ((1 - x * x) * slope * slope) };
    });
  }
  const NODES = rule(16);
  const MOST_CELLS = 20000;
  const TINY = 1e-300; // a share whose quantile is not yet infinite

  // The integrals of `size` functions at once between the break points; `write(x, out)` gives
  // their values. A cell is halved while one of them changes by more than `share` of its total.
  function integrate(write, size, breaks, floor, share = 1e-10) {
    const point = new Float64Array(size);
    const sums = (low, high) => {
      const out = new Float64Array(size);
      for (const { at, weight } of NODES) {
        write(low + (high - low) * at, point);
        for (let k = 0; k < size; k++) out[k] += weight * point[k];
      }
      return out.map((value) => (high > low ? value * (high - low) : 0));
    };
    const total = new Float64Array(size);
    const known = new Float64Array(size); // of absolute values, what is no longer refined
    const finite = () => [...total.keys()].filter((k) => total[k] !== Infinity);
    let cells = breaks.slice(1).map((high, i) => [breaks[i], high, sums(breaks[i], high)]);
    cells = cells.filter(([, , values]) => values.some((value) => !(abs(value) <= floor)));
    while (cells.length > 0) {
      const halves = cells.map(([low, high]) => {
        const middle = low + 0.5 * (high - low);
        return [[low, middle, sums(low, middle)], [middle, high, sums(middle, high)]];
      });
      const scale = known.slice();
      for (const [, , values] of halves.flat()) {
        for (let k = 0; k < size; k++) {
          scale[k] += abs(values[k]);
          if (values[k] === Infinity) total[k] = Infinity;
        }
      }
      const own = finite();
      const errors = halves.map(([left, right], i) =>
        own.map((k) => abs(left[2][k] + right[2][k] - cells[i][2][k])),
      );
      const all = own.map((_, j) => errors.reduce((sum, error) => sum + error[j], 0));
      const enough = own.every((k, j) => all[j] <= max(10 * share * scale[k], floor));
      const rough = halves.map((_, i) =>
        !enough && own.some((k, j) => errors[i][j] > max(share * scale[k], floor)),
      );
      const next = [];
      halves.forEach((pair, i) => {
        if (rough[i] && cells.length < MOST_CELLS) next.push(...pair);
        else {
          for (const [, , values] of pair) {
            for (const k of own) {
              total[k] += values[k];
              known[k] += abs(values[k]);
            }
          }
        }
      });
      cells = next;
    }
    return total;
  }

  // Break points that reach on to both sides in widths that double: a Pearson divergence can have
  // its mass where both densities have none.
  function reaching(breaks) {
    const width = breaks[breaks.length - 1] - breaks[0];
    const steps = Array.from({ length: 40 }, (_, i) => width * 2 ** i);
    const [first, last] = [breaks[0], breaks[breaks.length - 1]];
    return [...steps.map((step) => first - step).reverse(), ...breaks, ...steps.map((step) => last + step)];
  }

  // Where a function changes sign between break points, as total variation has a kink there.
  function crossings(value, breaks) {
    const found = [];
    for (let i = 0; i + 1 < breaks.length; i++) {
      for (let j = 0; j < 8; j++) {
        let low = breaks[i] + ((breaks[i + 1] - breaks[i]) * j) / 8;
        let high = j < 7 ? breaks[i] + ((breaks[i + 1] - breaks[i]) * (j + 1)) / 8 : breaks[i + 1];
        const sign = Math.sign(value(low));
        if (sign * Math.sign(value(high)) >= 0) continue;
        for (let round = 0; round < 55; round++) {
          const middle = low + 0.5 * (high - low);
          if (Math.sign(value(middle)) === sign) low = middle;
          else high = middle;
        }
        found.push(high);
      }
    }
    return found;
  }

  // log p - log q, and 0 where neither has density.
  const logRatio = (logP, logQ) => (logP === -Infinity && logQ === -Infinity ? 0 : logP - logQ);

  // p log(p/q) - p + q, which is nowhere negative and has the integral of p log(p/q).
  function klTerm(logP, logQ) {
    const logU = logRatio(logP, logQ);
    if (logU === Infinity) return Infinity;
    // Where p and q are close, the terms cancel but for a square, which expm1 saves.
    if (abs(logU) < 1) return exp(logQ) * max(logU * exp(logU) - expm1(logU), 0);
    const p = exp(logP);
    return max((p > 0 ? p * logU : 0) - p + exp(logQ), 0);
  }

  function pearsonTerm(logP, logQ) {
    const logU = logRatio(logP, logQ);
    if (logU === Infinity) return Infinity;
    if (logU > 0) return exp(logP + logU) * expm1(-logU) ** 2;
    return exp(logQ) * expm1(logU) ** 2;
  }

  // Half of what the Jensen-Shannon integrand is at p = 1, q = e^-gap.
  function jsShape(gap) {
    const q = exp(-gap);
    if (gap < 1) {
      const logCosh = log1p(2 * Math.sinh(gap / 4) ** 2);
      return 0.5 * ((-expm1(-gap) * gap) / 2 - (1 + q) * logCosh);
    }
    return 0.5 * ((1 + q) * (LN2 - log1p(q)) - (q > 0 ? q * gap : 0));
  }

  const softplus = (t) => max(t, 0) + log1p(exp(-abs(t)));
  const sigmoid = (t) => (t >= 0 ? 1 / (1 + exp(-t)) : exp(t) / (1 + exp(t)));

  // The reader's discriminator as a logit: a share of the best one's, plus a straight line.
  function readersLogit({ share, slope, threshold }, best, x) {
    return (share > 0 ? share * best : 0) + slope * (x - threshold);
  }

  // By how much the reader's D falls short of D* at a place: nowhere negative.
  function gapTerm(logP, logQ, best, logit) {
    const [p, q] = [exp(logP), exp(logQ)];
    const real = p > 0 ? p * (softplus(-logit) - softplus(-best)) : 0;
    const fake = q > 0 ? q * (softplus(logit) - softplus(best)) : 0;
    return max(real + fake, 0);
  }

  const TERMS = ["kl", "reverse", "js", "tv", "hellinger", "pearson", "gap"];
  // What disjoint supports have, and nothing has more of; rounding must not exceed it.
  const MOST = { js: LN2, tv: 1, hellinger: 2 };

  // The integrands at x, in the order of TERMS.
  function terms(p, q, discriminator, x, out) {
    const [logP, logQ] = [p.logProb(x), q.logProb(x)];
    const best = logRatio(logP, logQ);
    const gap = abs(best);
    const larger = exp(max(logP, logQ));
    out[0] = klTerm(logP, logQ);
    out[1] = klTerm(logQ, logP);
    out[2] = larger * jsShape(gap);
    out[3] = -0.5 * larger * expm1(-gap);
    out[4] = larger * expm1(-gap / 2) ** 2;
    out[5] = pearsonTerm(logP, logQ);
    out[6] = gapTerm(logP, logQ, best, readersLogit(discriminator, best, x));
    return out;
  }

  // F_p - F_q, by the upper tails above p's middle, as 1 - 1e-20 is 1.
  function cdfDifference(p, q, x) {
    return p.cdf(x) < 0.5 ? p.cdf(x) - q.cdf(x) : q.sf(x) - p.sf(x);
  }

  function wasserstein1(p, q) {
    const breaks = merged([p.breaks, q.breaks]);
    const difference = (x) => cdfDifference(p, q, x);
    const kinked = merged([breaks, crossings(difference, breaks)]);
    const floor = 1e-17 * (breaks[breaks.length - 1] - breaks[0]);
    const write = (x, out) => (out[0] = abs(difference(x)));
    return integrate(write, 1, kinked, floor)[0];
  }

  // Every x of p goes to the x of q with as much mass below it; the mean of squares of the ways.
  function wasserstein2(p, q) {
    if (p.family === q.family && p.family !== "mixture") return Math.hypot(p.mean - q.mean, p.std - q.std);
    const partner = (from, to, x) => to.quantile(max(from.cdf(x), TINY), max(from.sf(x), TINY));
    // Where q has a gap the partner jumps: where p has as much below as q has below a break.
    const jumps = q.breaks.map((x) => partner(q, p, x)).filter(Number.isFinite);
    const reach = p.breaks[p.breaks.length - 1];
    const inside = jumps.filter((x) => x > p.breaks[0] && x < reach);
    const write = (x, out) => {
      const mass = exp(p.logProb(x));
      // Below 1e-40 the mass is nothing, and its partner need not be sought.
      out[0] = mass > 1e-40 ? mass * (x - partner(p, q, x)) ** 2 : 0;
    };
    return Math.sqrt(integrate(write, 1, merged([p.breaks, inside]), 1e-16, 1e-8)[0]);
  }

  // All numbers of the table. `best` and `value` are V(D*, G) and V(D, G) of the reader's D.
  function compare(p, q, discriminator) {
    const breaks = merged([p.breaks, q.breaks]);
    const kinks = crossings((x) => logRatio(p.logProb(x), q.logProb(x)), breaks);
    const edges = reaching(merged([breaks, kinks]));
    const write = (x, out) => terms(p, q, discriminator, x, out);
    const found = integrate(write, TERMS.length, edges, 1e-17);
    const answer = Object.fromEntries(TERMS.map((name, k) => [name, found[k]]));
    for (const [name, most] of Object.entries(MOST)) answer[name] = min(answer[name], most);
    if (unending(write, edges, TERMS.indexOf("pearson"), answer.pearson)) answer.pearson = Infinity;
    answer.w1 = wasserstein1(p, q);
    answer.w2 = wasserstein2(p, q);
    answer.best = 2 * answer.js - 2 * LN2;
    answer.value = answer.best - answer.gap;
    return answer;
  }

  // Whether the outermost cells hold as much as those before, so that the integral has no end.
  function unending(write, edges, k, total) {
    const n = edges.length;
    return [[0, 1, 2], [n - 1, n - 2, n - 3]].some((ends) => {
      const [outer, inner] = [0, 1].map((i) => {
        const cell = [edges[ends[i]], edges[ends[i + 1]]].sort((a, b) => a - b);
        const out = new Float64Array(TERMS.length);
        return NODES.reduce((sum, { at, weight }) => {
          write(cell[0] + (cell[1] - cell[0]) * at, out);
          return sum + weight * out[k] * (cell[1] - cell[0]);
        }, 0);
      });
      return outer > 1e-6 * abs(total) && outer > 0.9 * inner;
    });
  }

  Object.assign(Divergences, {
    TERMS, cdfDifference, compare, logRatio, readersLogit, sigmoid, terms,
  });
})();
