// The latent explorer, part 2: what can be set, and where the buttons lead.
(function () {
  "use strict";
  const CELLS = 16; // images on the sheet
  const SEEDS = 999;
  const WHOLE = 4; // the truncation's slider at its end: no truncation

  // An image: its seed and its number on that seed's sheet, written 0.6.
  const image = (initial) => ({
    initial,
    write: (pair) => pair.join("."),
    parse(text) {
      const [seed, cell] = /^\d+\.\d+$/.test(text) ? text.split(".").map(Number) : [SEEDS + 1];
      return seed <= SEEDS && cell < CELLS ? [seed, cell] : undefined;
    },
  });

  // A whole number, typed.
  const seed = {
    label: "Seed of the sheet, 0 to 999", min: 0, max: SEEDS, step: 1, initial: 0,
    parse: (text) => (/^\d+$/.test(text.trim()) && Number(text) <= SEEDS ? Number(text) : undefined),
  };

  const strengths = LatentModel.strengths;
  const last = strengths.length - 1;
  // d1, d2, ... the strongest; the last is the weakest of all.
  const directions = strengths.map((strength, k) => [
    `d${k + 1}`,
    {
      label: `${k < last ? `Direction ${k + 1}` : "The weakest direction"}, strength ${strength.toFixed(1)}`,
      min: -6, max: 6, step: 0.1, initial: 0, unit: "standard deviations",
    },
  ]);

  const SPEC = {
    seed,
    picks: { label: "A press on the sheet chooses", values: { a: "the first image", b: "the second image" }, initial: "a" },
    a: image([0, 0]),
    b: image([0, 13]),
    t: { label: "From the first to the second", min: 0, max: 1, step: 0.01, initial: 0 },
    way: { label: "Way", values: { arc: "along the arc (slerp)", straight: "straight (lerp)" }, initial: "arc" },
    threshold: { label: "Truncation at", min: 0.1, max: WHOLE, step: 0.1, initial: WHOLE, unit: "standard deviations" },
    ...Object.fromEntries(directions),
  };

  // name: [title, settings that differ from the initial ones, what to look at]
  const PRESETS = {
    sheet: ["a sheet of samples", {}, "16 images of seed 0. The next seed has 16 others."],
    arc: ["half-way along the arc", { t: 0.5 }, "neither of the two. Press Play, and look where it changes fastest."],
    straight: [
      "half-way, straight",
      { t: 0.5, way: "straight" },
      "the noise is shorter than any sample's. Compare with the arc.",
    ],
    direction: ["one direction for all", { d1: -5 }, "every image of the sheet took the same step."],
    weak: [
      "a direction that hardly matters",
      { [`d${last + 1}`]: 6 },
      "a longer step, and next to nothing moves.",
    ],
    truncated: ["truncated", { threshold: 0.5 }, "the images have become alike, and no cleaner."],
  };

  Object.assign(Latent, { CELLS, PRESETS, SEEDS, SPEC, WHOLE });
})();
