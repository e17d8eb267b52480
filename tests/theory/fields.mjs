// Runs the mathematics of the figure of vector fields (book/_static/fields) under Node for
// test_fields_widget.py: node fields.mjs NAME < arguments.json, answered in JSON.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

// The parts are plain scripts that share globals, as in a page.
for (const part of ["widgets/widgets", "fields/games", "fields/algorithms", "fields/settings"]) {
  const path = new URL(`../../book/_static/${part}.mjs`, import.meta.url);
  runInThisContext(readFileSync(path, "utf8"), { filename: path.pathname });
}
const { Fields, Widgets } = globalThis;
const answers = { games, predictions, runs, verdicts, settings, link, unlink };

// The field and its derivative at points.
function games({ cases }) {
  return cases.map(({ settings: some, points }) => {
    const game = Fields.makeGame(some);
    const at = points.map((w) => ({ field: game.field(w), jacobian: game.jacobian(w) }));
    return { at, equilibrium: game.equilibrium };
  });
}

function predictions({ cases }) {
  return cases.map((some) => {
    const game = Fields.makeGame(some);
    return { ...Fields.predict(game, some), stable: Fields.largestStableStep(game, some) };
  });
}

function runs({ cases }) {
  return cases.map(({ settings: some, start, steps }) => {
    const game = Fields.makeGame(some);
    const path = Fields.run(game, some, start, steps);
    return { path, rate: Fields.measuredRate(game, path) };
  });
}

function verdicts({ pairs }) {
  return pairs.map(([rate, steps]) => Fields.verdict(rate, steps));
}

function settings() {
  return { spec: Fields.SPEC, presets: Fields.PRESETS };
}

function link({ all }) {
  const initial = Widgets.defaults(Fields.SPEC);
  return all.map((some) => Widgets.toFragment("field", Fields.SPEC, { ...initial, ...some }));
}

function unlink({ fragments }) {
  return fragments.map((fragment) => Widgets.fromFragment("field", Fields.SPEC, fragment));
}

const input = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(answers[process.argv[2]](input)));
