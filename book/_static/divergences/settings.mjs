// The figure of divergences, part 3: what can be set, and where the buttons lead.
(function () {
  "use strict";
  const { KINDS } = Divergences;

  // The sliders of one side, named pMean and so on.
  function side(name, mean) {
    const of = (text) => `${text} of ${name}`;
    return {
      [name]: { label: `Shape of ${name}`, values: KINDS, initial: "gaussian" },
      [`${name}Mean`]: { label: of("Mean"), min: -4, max: 4, step: 0.05, initial: mean },
      [`${name}Second`]: { label: of("Second mean"), min: -4, max: 4, step: 0.05, initial: 2 },
      [`${name}Width`]: { label: of("Width"), min: 0.1, max: 3, step: 0.05, initial: 1 },
      [`${name}Weight`]: {
        label: of("Share of the second bump"), min: 0, max: 1, step: 0.05, initial: 0.5,
      },
    };
  }

  const INTEGRANDS = {
    kl: "KL(p ‖ q): p log(p/q) − p + q",
    reverse: "KL(q ‖ p): q log(q/p) − q + p",
    js: "JS: half of p log(p/m) + q log(q/m)",
    tv: "total variation: |p − q| / 2",
    hellinger: "Hellinger: (√p − √q)²",
    pearson: "Pearson: (p − q)² / q",
    gap: "V(D*) − V(D): what your D misses",
    w1: "W1: |F(p) − F(q)|, the mass to be carried past x",
  };

  const SPEC = {
    ...side("p", -1),
    ...side("q", 1),
    share: { label: "Share of D*'s logit", min: 0, max: 2, step: 0.05, initial: 0 },
    slope: { label: "Slope of the line", min: -10, max: 10, step: 0.1, initial: -1, unit: "per unit of x" },
    threshold: { label: "Zero of the line", min: -4, max: 4, step: 0.05, initial: 1 },
    shown: { label: "Integrand drawn below", values: INTEGRANDS, initial: "js" },
    scale: { label: "D drawn as", values: { probability: "probability", logit: "logit" }, initial: "probability" },
  };

  // name: [title, settings that differ from the initial ones, what to look at]
  const PRESETS = {
    shifted: ["two Gaussians", {}, "find slope and zero of the line at which your D is D*."],
    equal: ["equal", { qMean: -1, share: 1, slope: 0 }, "every distance is 0, and D* says 1/2 everywhere."],
    asymmetry: [
      "two widths",
      { pMean: 0, qMean: 0, pWidth: 0.6, qWidth: 1.8, shown: "kl", share: 1, slope: 0 },
      "KL has two values. Which is larger, and which Pearson divergence is infinite? Swap p and q.",
    ],
    dropping: [
      "a mode dropped",
      {
        p: "mixture", pMean: -2, pSecond: 2, pWidth: 0.4, qMean: 2, qWidth: 0.4,
        shown: "kl", share: 1, slope: 0,
      },
      "q has one of p's two modes. One KL is small, the other is not.",
    ],
    disjoint: [
      "disjoint",
      {
        p: "uniform", pMean: -2, pWidth: 0.5, q: "uniform", qMean: 2, qWidth: 0.5,
        shown: "tv", share: 1, slope: 0,
      },
      "move q: most numbers do not notice until the two meet.",
    ],
    points: [
      "almost points",
      { p: "point", pMean: 0, q: "point", qMean: 1, shown: "w1", share: 1, slope: 0 },
      "Pearson is too large for a computer, the others are finite, and most are useless. Bring q to p.",
    ],
  };

  // The settings of one side as make() takes them.
  function sideOf(settings, name) {
    const [kind, ...numbers] = ["", "Mean", "Second", "Width", "Weight"].map((part) => settings[name + part]);
    const [mean, second, width, weight] = numbers;
    return { kind, mean, second, width, weight };
  }

  Object.assign(Divergences, { INTEGRANDS, PRESETS, SPEC, sideOf });
})();
