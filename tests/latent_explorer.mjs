// Runs the arithmetic of the latent explorer (book/_static/latent) under Node for
// test_latent_explorer.py: node latent_explorer.mjs NAME < arguments.json, answered in JSON.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

function load(path) {
  runInThisContext(readFileSync(path, "utf8"), { filename: String(path) });
}
const input = JSON.parse(readFileSync(0, "utf8"));
// The parts are plain scripts that share globals, as in a page; the weights may be others.
const here = (part) => new URL(`../book/_static/${part}.mjs`, import.meta.url);
load(here("widgets/widgets"));
load(input.weights ?? here("latent/weights"));
load(here("latent/engine"));
load(here("latent/settings"));
const { Latent, LatentModel, Widgets } = globalThis;
const list = (vectors) => vectors.map((vector) => [...vector]);
const single = (z) => z.map((vector) => Float32Array.from(vector));

const answers = {
  images: ({ z }) => {
    const net = Latent.unpack(LatentModel);
    return { images: list(single(z).map((one) => Latent.generate(net, one))), difference: Latent.difference(net) };
  },
  noise: ({ cases }) => cases.map(([seed, count, length]) => list(Latent.noise(seed, count, length))),
  truncate: ({ z, thresholds }) =>
    thresholds.map((threshold) => list(single(z).map((one) => Latent.truncate(one, threshold ?? Infinity)))),
  between: ({ a, b, shares, kind }) => list(shares.map((t) => Latent.between(...single([a, b]), t, kind))),
  moved: ({ z, steps }) => list(single(z).map((one) => Latent.moved(one, Latent.unpack(LatentModel).directions, steps))),
  settings: () => ({ spec: Latent.SPEC, presets: Latent.PRESETS }),
  link: ({ all }) =>
    all.map((some) => Widgets.toFragment("latent", Latent.SPEC, { ...Widgets.defaults(Latent.SPEC), ...some })),
  unlink: ({ fragments }) => fragments.map((fragment) => Widgets.fromFragment("latent", Latent.SPEC, fragment)),
};
process.stdout.write(JSON.stringify(answers[process.argv[2]](input)));
