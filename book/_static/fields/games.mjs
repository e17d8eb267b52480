// The figure of vector fields, part 1: games of two players who each set one number, w = (x, y).
//
// They are those of gancourse.theory.smooth_games: field(w) says how each player's own descent
// points, jacobian(w) is its derivative [[a, b], [c, d]].
(function () {
  "use strict";
  const Fields = (globalThis.Fields = globalThis.Fields || {});

  // x minimises and y maximises c x^2 / 2 + x y - c y^2 / 2.
  function quadratic(curvature) {
    const jacobian = [[-curvature, -1], [1, -curvature]];
    return {
      equilibrium: [0, 0],
      field: ([x, y]) => [-curvature * x - y, x - curvature * y],
      jacobian: () => jacobian,
    };
  }

  // Two firms offer x and y, and each sells at the price 1 - x - y.
  function duopoly() {
    return {
      equilibrium: [1 / 3, 1 / 3],
      field: ([x, y]) => [1 - 2 * x - y, 1 - x - 2 * y],
      jacobian: () => [[-2, -1], [-1, -2]],
    };
  }

  const sigmoid = (t) => (t >= 0 ? 1 / (1 + Math.exp(-t)) : Math.exp(t) / (1 + Math.exp(t)));
  // Slope and curvature of log sigmoid(t), of -log sigmoid(-t), and of t.
  const logSigmoid = (t) => [sigmoid(-t), -sigmoid(-t) * sigmoid(t)];
  const mirrored = (t) => [sigmoid(t), sigmoid(-t) * sigmoid(t)];
  const identity = () => [1, 0];
  // What the discriminator raises and what the generator lowers, both of t = theta psi.
  const DIRAC = {
    minimax: [logSigmoid, logSigmoid],
    "non-saturating": [logSigmoid, mirrored],
    wgan: [identity, identity],
  };

  // One datum at 0, one generated point theta, the discriminator psi x with the weight gamma of R1.
  function dirac(objective, gamma) {
    const [raised, lowered] = DIRAC[objective];
    return {
      equilibrium: [0, 0],
      field([theta, psi]) {
        const t = theta * psi;
        return [-psi * lowered(t)[0], theta * raised(t)[0] - gamma * psi];
      },
      jacobian([theta, psi]) {
        const t = theta * psi;
        const [g1, g2] = lowered(t);
        const [d1, d2] = raised(t);
        return [[-(psi ** 2) * g2, -g1 - t * g2], [d1 + t * d2, theta ** 2 * d2 - gamma]];
      },
    };
  }

  // name: label, names of the two players' numbers, and the slider that shapes it
  const GAMES = {
    bilinear: { label: "bilinear: x y", axes: ["x", "y"], make: () => quadratic(0) },
    quadratic: {
      label: "quadratic, zero-sum", axes: ["x", "y"], slider: "curvature",
      make: (settings) => quadratic(settings.curvature),
    },
    minimax: {
      label: "Dirac-GAN, minimax", axes: ["θ", "ψ"], slider: "gamma",
      make: (settings) => dirac("minimax", settings.gamma),
    },
    "non-saturating": {
      label: "Dirac-GAN, non-saturating", axes: ["θ", "ψ"], slider: "gamma",
      make: (settings) => dirac("non-saturating", settings.gamma),
    },
    wgan: {
      label: "Dirac-GAN, Wasserstein", axes: ["θ", "ψ"], slider: "gamma",
      make: (settings) => dirac("wgan", settings.gamma),
    },
    duopoly: { label: "Cournot's duopoly", axes: ["x", "y"], make: duopoly },
  };

  Object.assign(Fields, { GAMES, makeGame: (settings) => GAMES[settings.game].make(settings) });
})();
