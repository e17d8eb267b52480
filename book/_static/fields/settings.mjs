// The figure of vector fields, part 3: what can be set, and where the buttons lead.
(function () {
  "use strict";
  const { ALGORITHMS, GAMES } = Fields;
  const EDGE = 2.2; // the window is a square from -2.2 to 2.2
  const MOST_STARTS = 12;

  const labels = (table) =>
    Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, entry.label]));

  // Starts are written 1,0.5;-1,0.
  const starts = {
    initial: [],
    write: (points) => points.map((point) => point.join(",")).join(";"),
    parse(text) {
      const points = text ? text.split(";").map((pair) => pair.split(",").map(Number)) : [];
      const good = points.every(
        (point) => point.length === 2 && point.every((value) => Math.abs(value) <= EDGE),
      );
      return good && points.length <= MOST_STARTS ? points : undefined;
    },
  };

  const ARROWS = { game: "the game's field", step: "where one step leads" };
  const SPEC = {
    game: { label: "Game", values: labels(GAMES), initial: "bilinear" },
    curvature: { label: "Curvature of each player's own loss", min: -0.5, max: 2, step: 0.05, initial: 0.5 },
    gamma: { label: "Weight γ of R1", min: 0, max: 3, step: 0.05, initial: 0 },
    algorithm: { label: "Algorithm", values: labels(ALGORITHMS), initial: "simultaneous" },
    weight: { label: "Weight of consensus", min: 0, max: 2, step: 0.05, initial: 1 },
    step: { label: "Step size", min: 0.01, max: 1.5, step: 0.01, initial: 0.1 },
    arrows: { label: "Arrows show", values: ARROWS, initial: "game" },
    starts,
  };

  const one = [[1.5, 0]];
  // name: [title, settings that differ from the initial ones, what to look at]
  const PRESETS = {
    circles: [
      "why descent circles",
      { starts: [[0.5, 0]] },
      "the arrows go round, and every step along one leads a little outwards.",
    ],
    r1: [
      "R1 stops it",
      { game: "non-saturating", gamma: 0.5, step: 0.2, starts: one },
      "the penalty draws the eigenvalues into the circle. Take γ to 0 and back.",
    ],
    large: [
      "too large a step",
      { game: "duopoly", step: 0.7, starts: [[0.8, 0.2], [1, 1.2]] },
      "one eigenvalue has left the circle, on the left. Make the step smaller.",
    ],
    extragradient: [
      "extragradient converges",
      { algorithm: "extragradient", step: 0.3, starts: one },
      "the same game, but each step uses the field found one step ahead.",
    ],
    duopoly: [
      "a duopoly converges",
      { game: "duopoly", starts: [[-1.5, 1.5], [1.8, 0.5], [0, -1.5]] },
      "nothing turns here: both eigenvalues of the Jacobian are real.",
    ],
  };

  Object.assign(Fields, { EDGE, MOST_STARTS, PRESETS, SPEC });
})();
