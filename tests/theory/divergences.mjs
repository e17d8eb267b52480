// Runs the mathematics of the figure of divergences (book/_static/divergences) under Node for
// test_divergences_widget.py: node divergences.mjs NAME < arguments.json, answered in JSON.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

// The parts are plain scripts that share globals, as in a page.
for (const part of ["widgets/widgets", "divergences/densities", "divergences/math", "divergences/settings"]) {
  const path = new URL(`../../book/_static/${part}.mjs`, import.meta.url);
  runInThisContext(readFileSync(path, "utf8"), { filename: path.pathname });
}
const { Divergences, Widgets } = globalThis;
const answers = { tails, compare, curves, settings, link, unlink, format };

function tails({ z }) {
  return z.map(Divergences.upperTail);
}

// JSON has no infinity.
const sayable = (value) => (Number.isFinite(value) ? value : String(value));

function compare({ cases }) {
  return cases.map(({ p, q, discriminator }) => {
    const sides = [p, q].map(Divergences.make);
    const found = Object.entries(Divergences.compare(...sides, discriminator));
    return Object.fromEntries(found.map(([name, value]) => [name, sayable(value)]));
  });
}

// What the curves show: densities, distribution functions, quantiles, D* and the integrands.
function curves({ cases, discriminator, x }) {
  return cases.map((sides) => curve(sides.map(Divergences.make), discriminator, x));
}

function curve([left, right], discriminator, x) {
  return x.map((at) => ({
    logs: [left.logProb(at), right.logProb(at)].map(sayable),
    cdfs: [left.cdf(at), right.cdf(at), left.sf(at), right.sf(at)],
    back: [left, right].map((side) => side.quantile(side.cdf(at), side.sf(at))),
    best: Divergences.sigmoid(Divergences.logRatio(left.logProb(at), right.logProb(at))),
    terms: [...Divergences.terms(left, right, discriminator, at, new Float64Array(7))].map(sayable),
  }));
}

function settings() {
  return { spec: Divergences.SPEC, presets: Divergences.PRESETS };
}

function link({ settings: some }) {
  return Widgets.toFragment("div", Divergences.SPEC, { ...Widgets.defaults(Divergences.SPEC), ...some });
}

function unlink({ fragments }) {
  return fragments.map((fragment) => Widgets.fromFragment("div", Divergences.SPEC, fragment));
}

function format({ values }) {
  return values.map((value) => Widgets.format(Number(value)));
}

const input = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(answers[process.argv[2]](input)));
