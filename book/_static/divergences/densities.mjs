// The figure of divergences, part 1: densities on the line, safe in their tails.
//
// Each has logProb(x), cdf(x), sf(x) = 1 - cdf(x) without cancellation, quantile(u, s) for
// u = cdf and s = sf, and breaks: sorted points that tell quadrature where to look, as in
// gancourse.theory.densities.
(function () {
  "use strict";
  const Divergences = (globalThis.Divergences = globalThis.Divergences || {});
  const LOG_ROOT_2PI = 0.5 * Math.log(2 * Math.PI);
  const POINT = 0.01; // standard deviation of the bump that stands for a point
  const GAUSSIAN_STEPS = [-39, -9, -3, 0, 3, 9, 39];
  const LAPLACE_STEPS = [-750, -150, -30, -5, 0, 5, 30, 150, 750];

  // P(Z > z) of a standard normal variable, accurate in the upper tail too: a power series near
  // the middle, Laplace's continued fraction beyond.
  function upperTail(z) {
    if (z < 0) return 1 - upperTail(-z);
    const density = Math.exp(-0.5 * z * z - LOG_ROOT_2PI);
    if (z > 3) {
      let fraction = z;
      for (let k = 30; k > 0; k--) fraction = z + k / fraction;
      return density / fraction;
    }
    let [term, sum] = [z, z];
    for (let k = 3; term > 1e-17 * sum; k += 2) sum += term *= (z * z) / k;
    return 0.5 - density * sum;
  }

  // The z of a standard normal variable: a rational approximation (Abramowitz and Stegun, 26.2.23)
  // of the smaller tail, and three Newton steps from there.
  function normalQuantile(u, s) {
    const tail = Math.min(u, s);
    const t = Math.sqrt(-2 * Math.log(tail));
    const above = 2.515517 + t * (0.802853 + 0.010328 * t);
    let z = t - above / (1 + t * (1.432788 + t * (0.189269 + 0.001308 * t)));
    for (let i = 0; i < 3; i++) z += (upperTail(z) - tail) / Math.exp(-0.5 * z * z - LOG_ROOT_2PI);
    return u < s ? -z : z;
  }

  // The x between low and high at which a distribution function is u: Newton steps, and halving
  // where they leave the bracket; every fourth step halves, so that Newton cannot creep.
  function solve(density, u, s, low, high) {
    let x = 0.5 * (low + high);
    for (let i = 1; i < 200; i++) {
      const over = u < 0.5 ? density.cdf(x) - u : s - density.sf(x);
      if (over > 0) high = x;
      else low = x;
      const next = x - over / Math.exp(density.logProb(x));
      const near = 1e-13 * (1 + Math.abs(x));
      if (Math.abs(next - x) < near || high - low < near) return x;
      x = next > low && next < high && i % 4 ? next : 0.5 * (low + high);
    }
    return x;
  }

  function gaussian(mean, std) {
    const constant = LOG_ROOT_2PI + Math.log(std);
    return {
      family: "gaussian",
      mean,
      std,
      logProb: (x) => -0.5 * ((x - mean) / std) ** 2 - constant,
      cdf: (x) => upperTail((mean - x) / std),
      sf: (x) => upperTail((x - mean) / std),
      quantile: (u, s) => mean + std * normalQuantile(u, s),
      breaks: GAUSSIAN_STEPS.map((step) => mean + step * std),
    };
  }

  function laplace(mean, scale) {
    const constant = Math.log(2 * scale);
    const below = (z) => (z < 0 ? 0.5 * Math.exp(z) : 1 - 0.5 * Math.exp(-z));
    return {
      family: "laplace",
      mean,
      std: Math.SQRT2 * scale,
      logProb: (x) => -Math.abs(x - mean) / scale - constant,
      cdf: (x) => below((x - mean) / scale),
      sf: (x) => below((mean - x) / scale),
      quantile: (u, s) => mean + scale * (u < 0.5 ? Math.log(2 * u) : -Math.log(2 * s)),
      breaks: LAPLACE_STEPS.map((step) => mean + step * scale),
    };
  }

  function uniform(mean, half) {
    const [low, high] = [mean - half, mean + half];
    const constant = -Math.log(high - low);
    const share = (x) => Math.min(Math.max(x / (high - low), 0), 1);
    return {
      family: "uniform",
      mean: 0.5 * (low + high),
      std: (high - low) / Math.sqrt(12),
      logProb: (x) => (x >= low && x <= high ? constant : -Infinity),
      cdf: (x) => share(x - low),
      sf: (x) => share(high - x),
      quantile: (u, s) => (u < 0.5 ? low + u * (high - low) : high - s * (high - low)),
      breaks: [low, high],
    };
  }

  // Two Gaussians of one width; `weight` is the share of the second.
  function mixture(first, second, std, weight) {
    const parts = [gaussian(first, std), gaussian(second, std)];
    const shares = [1 - weight, weight];
    const average = (name, x) => shares[0] * parts[0][name](x) + shares[1] * parts[1][name](x);
    const density = {
      family: "mixture",
      logProb(x) {
        const a = parts[0].logProb(x) + Math.log(shares[0]);
        const b = parts[1].logProb(x) + Math.log(shares[1]);
        const top = Math.max(a, b);
        return top + Math.log1p(Math.exp(Math.min(a, b) - top));
      },
      cdf: (x) => average("cdf", x),
      sf: (x) => average("sf", x),
      quantile(u, s) {
        const between = parts.map((part) => part.quantile(u, s));
        return solve(density, u, s, Math.min(...between), Math.max(...between));
      },
      breaks: merged([parts[0].breaks, parts[1].breaks]),
    };
    return density;
  }

  // Sorted numbers of all lists, each once.
  function merged(lists) {
    return [...new Set(lists.flat())].sort((a, b) => a - b);
  }

  const KINDS = {
    gaussian: "one Gaussian",
    mixture: "two Gaussians",
    laplace: "Laplace",
    uniform: "uniform",
    point: "a bump almost a point",
  };

  function make({ kind, mean, second, width, weight }) {
    if (kind === "mixture") return mixture(mean, second, width, weight);
    if (kind === "laplace") return laplace(mean, width);
    if (kind === "uniform") return uniform(mean, width);
    return gaussian(mean, kind === "point" ? POINT : width);
  }

  Object.assign(Divergences, { KINDS, POINT, make, merged, upperTail });
})();
