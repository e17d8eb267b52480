// Runs the engine of the GAN laboratory (book/_static/lab) under Node for test_lab.py:
// node lab.mjs NAME < arguments.json, and the answer is printed as JSON.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

// The parts are plain scripts that share one global, as in a page.
for (const part of ["nets", "data", "engine"]) {
  const path = new URL(`../../book/_static/lab/${part}.mjs`, import.meta.url);
  runInThisContext(readFileSync(path, "utf8"), { filename: path.pathname });
}
const { GanLab } = globalThis;
const { Adam, Lab, Random } = GanLab;

const floats = (list) => Float64Array.from(list);
const answers = { bits, normals, adam, losses, differences, run, averaged, data, judge, link, unlink };

function bits({ seed, stream, count }) {
  const random = new Random(seed, stream);
  return Array.from({ length: count }, () => random.bits());
}

function normals({ seed, count }) {
  return [...new Random(seed, 0).normals(count)];
}

// The weights after each of the given gradients.
function adam({ params, gradients, beta1, beta2, rate }) {
  const weights = floats(params);
  const optimiser = new Adam(weights.length, beta1, beta2);
  for (const gradient of gradients) optimiser.step(weights, floats(gradient), rate);
  return [...weights];
}

function withWeights(settings, weights) {
  const lab = new Lab(settings);
  lab.D.params.set(weights.D);
  lab.G.params.set(weights.G);
  return lab;
}

// Both losses with their gradients, and the points that a gradient penalty looked at.
function losses({ settings, weights, real, fake, z }) {
  const [lab, again] = [withWeights(settings, weights), withWeights(settings, weights)];
  const d = lab.discriminatorLoss(floats(real), floats(fake));
  const g = lab.generatorLoss(floats(z), floats(real));
  return {
    between: [...again.between(floats(real), floats(fake))],
    discriminator: { value: d.value, grad: [...d.grad] },
    generator: { value: g.value, grad: [...g.grad], byPoints: [...g.byPoints] },
  };
}

// For each of the settings, how far the gradients of both losses are from central differences,
// relative to the largest part.
function differences({ all }) {
  return all.map(difference);
}

function difference(settings) {
  const lab = new Lab(settings);
  const draw = new Random(1, 1);
  const n = 7;
  const real = draw.normals(n * lab.data.dim);
  const fake = draw.normals(n * lab.data.dim);
  const z = draw.normals(n * lab.settings.noise);
  const players = [
    [lab.D, () => lab.discriminatorLoss(real, fake)],
    [lab.G, () => lab.generatorLoss(z, real)],
  ];
  return players.map(([net, loss]) => {
    const between = () => (lab.betweenRandom = new Random(2, 2)); // the same points every time
    const value = () => (between(), loss().value);
    between();
    const { grad } = loss();
    const h = 1e-5;
    let worst = 0;
    net.params.forEach((kept, p) => {
      net.params[p] = kept + h;
      const above = value();
      net.params[p] = kept - h;
      const below = value();
      net.params[p] = kept;
      worst = Math.max(worst, Math.abs((above - below) / (2 * h) - grad[p]));
    });
    return worst / Math.max(...grad.map(Math.abs));
  });
}

// A run of so many steps, measured every so often, and the weights at its end.
function run({ settings, steps, every }) {
  const lab = new Lab(settings);
  const measured = [];
  while (lab.steps < steps && !lab.diverged) {
    lab.step();
    if (lab.steps % every === 0) measured.push(lab.measure());
  }
  return { measured, weights: [...lab.G.params, ...lab.D.params] };
}

// The generator's weights after each step, and the averaged ones at the end.
function averaged({ settings, steps }) {
  const lab = new Lab(settings);
  const weights = [];
  for (let i = 0; i < steps; i++) {
    lab.step();
    weights.push([...lab.G.params]);
  }
  return { weights, averaged: [...lab.averaged.params] };
}

function data({ name, n }) {
  const set = GanLab.dataset(name, []);
  const x = [...GanLab.sample(set, n, new Random(0, 0))];
  return { dim: set.dim, modes: set.modes, std: set.std, x };
}

function judge({ name, x, other }) {
  const set = GanLab.dataset(name, []);
  const [p, q] = [x, other].map((points) => GanLab.histogram(floats(points), set.dim));
  const smooth = GanLab.smoothed(q, other.length / set.dim);
  return {
    coverage: GanLab.modeCoverage(floats(x), set),
    js: GanLab.js(p, q),
    kl: GanLab.kl(p, smooth),
    shares: [...p],
  };
}

function link({ settings }) {
  return GanLab.toFragment({ ...GanLab.defaults(), ...settings });
}

function unlink({ fragments }) {
  return { found: fragments.map(GanLab.fromFragment), defaults: GanLab.defaults() };
}

const input = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(answers[process.argv[2]](input)));
