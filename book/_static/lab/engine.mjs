// The GAN laboratory, part 3: the losses, the settings and their link, the two players.
(function () {
  "use strict";
  const { Random, Mlp, Adam, ACTIVATIONS, DATA, dataset, sample } = GanLab;
  const { modeCoverage, histogram, kl, js, smoothed } = GanLab;

  const softplus = (u) => Math.max(u, 0) + Math.log1p(Math.exp(-Math.abs(u)));
  const sigmoid = (u) => 1 / (1 + Math.exp(-u));

  // Losses of one pair of logits, real r and fake f; a batch takes the mean over its pairs.
  //   discriminator(r, f) -> [loss, its derivative by r, by f]
  //   generator(f, r)     -> [loss, its derivative by f]; only a paired loss looks at r
  //   centre              -> what the penalty wants the length of grad_x D to be
  //   penalty             -> its weight when a reader chooses the loss
  const logistic = (r, f) => [softplus(-r) + softplus(f), -sigmoid(-r), sigmoid(f)];
  const LOSSES = {
    // Goodfellow et al. 2014, equation 1: the zero-sum game. Its generator saturates.
    minimax: {
      label: "minimax (saturating)",
      discriminator: logistic,
      generator: (f) => [-softplus(f), -sigmoid(f)],
      centre: 0,
      penalty: 0,
    },
    // The same paper, end of section 3.
    "non-saturating": {
      label: "non-saturating",
      discriminator: logistic,
      generator: (f) => [softplus(-f), -sigmoid(-f)],
      centre: 0,
      penalty: 0,
    },
    // Mao et al. 2017, equation 2 with a = 0, b = c = 1.
    "least-squares": {
      label: "least squares",
      discriminator: (r, f) => [((r - 1) ** 2 + f * f) / 2, r - 1, f],
      generator: (f) => [(f - 1) ** 2 / 2, f - 1],
      centre: 0,
      penalty: 0,
    },
    // Gulrajani et al. 2017, equation 3.
    wasserstein: {
      label: "Wasserstein, gradient penalty",
      discriminator: (r, f) => [f - r, -1, 1],
      generator: (f) => [-f, -1],
      centre: 1,
      penalty: 1,
    },
    // Huang et al. 2024 (R3GAN): each real point is judged against a fake one, with R1 and R2.
    relativistic: {
      label: "relativistic, R1 and R2 (R3GAN)",
      discriminator: (r, f) => [softplus(f - r), -sigmoid(f - r), sigmoid(f - r)],
      generator: (f, r) => [softplus(r - f), -sigmoid(r - f)],
      paired: true,
      centre: 0,
      penalty: 0.1,
    },
  };

  // Adds the penalty's gradient by the weights to `grad` and returns the penalty of n points:
  //   centre 0:  weight / 2 * mean |grad_x D|^2      (R1 on real, R2 on fake points)
  //   centre 1:  weight * mean (|grad_x D| - 1)^2    (WGAN-GP, on points between real and fake)
  // Either depends on the weights through g = grad_x D alone, so its gradient is that of
  // sum_i v_i . g_i with v_i = d penalty / d g_i held fixed.
  function addPenalty(net, x, n, centre, weight, grad) {
    const trace = net.forward(x, n);
    const g = net.inputGradient(trace);
    const dim = g.length / n;
    let value = 0;
    for (let i = 0; i < n; i++) {
      let square = 0;
      for (let c = 0; c < dim; c++) square += g[i * dim + c] ** 2;
      const length = Math.sqrt(square);
      value += ((centre ? weight : weight / 2) * (length - centre) ** 2) / n;
      // At length 0 the direction is undefined; torch takes 0 there too.
      const towards = centre ? (length > 0 ? (2 * (length - centre)) / length : 0) : 1;
      for (let c = 0; c < dim; c++) g[i * dim + c] *= (weight * towards) / n;
    }
    net.addDirectional(trace, g, grad);
    return value;
  }

  // What can be set, and in which bounds. `builds`: a change starts the run anew.
  const SETTINGS = {
    data: { default: "ring", choices: Object.keys(DATA), builds: true },
    loss: { default: "non-saturating", choices: Object.keys(LOSSES) },
    penalty: { default: 0, min: 0, max: 100 },
    k: { default: 1, min: 1, max: 20, whole: true },
    rateD: { default: 0.002, min: 0, max: 0.5 },
    rateG: { default: 0.001, min: 0, max: 0.5 },
    beta1: { default: 0.5, min: 0, max: 0.99, builds: true },
    average: { default: 0.995, min: 0, max: 0.999 },
    batch: { default: 64, min: 4, max: 512, whole: true },
    widthD: { default: 32, min: 2, max: 128, whole: true, builds: true },
    widthG: { default: 32, min: 2, max: 128, whole: true, builds: true },
    activation: { default: "leaky", choices: Object.keys(ACTIVATIONS), builds: true },
    noise: { default: 2, min: 1, max: 16, whole: true, builds: true },
    seed: { default: 0, min: 0, max: 4294967295, whole: true, builds: true },
  };
  const MOST_POINTS = 64;

  const defaults = () => ({
    ...Object.fromEntries(Object.entries(SETTINGS).map(([name, rule]) => [name, rule.default])),
    points: [],
  });

  // The value that a text stands for, or undefined if the setting cannot have it.
  function parse(name, text) {
    const { choices, min, max, whole } = SETTINGS[name];
    if (choices) return choices.includes(text) ? text : undefined;
    const value = text.trim() === "" ? NaN : Number(text);
    const fits = value >= min && value <= max && (!whole || Number.isInteger(value));
    return fits ? value : undefined;
  }

  // "x,y;x,y" as points, or undefined.
  function parsePoints(text) {
    const points = text === "" ? [] : text.split(";").map((pair) => pair.split(",").map(Number));
    const inside = (value) => Math.abs(value) <= GanLab.EDGE;
    const fits = points.every((point) => point.length === 2 && point.every(inside));
    return fits && points.length <= MOST_POINTS ? points : undefined;
  }

  // Settings as the fragment of an address, without its "#".
  function toFragment(settings) {
    const parts = Object.keys(SETTINGS).map((name) => `${name}=${settings[name]}`);
    const points = settings.points.map((point) => point.join(",")).join(";");
    return ["lab=1", ...parts, ...(points ? [`points=${points}`] : [])].join("&");
  }

  // {settings, problems} of a fragment; null if it is not one of the laboratory's. What is missing
  // or wrong has its default, and what is wrong is named in `problems`.
  function fromFragment(fragment) {
    const given = new URLSearchParams(fragment.replace(/^#/, ""));
    if (!given.has("lab")) return null;
    const settings = defaults();
    const problems = [];
    if (given.get("lab") !== "1") {
      return { settings, problems: [`version ${given.get("lab")} is not known here`] };
    }
    given.delete("lab");
    for (const [name, text] of given) {
      const known = name === "points" || Object.hasOwn(SETTINGS, name);
      const value = name === "points" ? parsePoints(text) : known ? parse(name, text) : undefined;
      if (value !== undefined) settings[name] = value;
      else problems.push(known ? `${name} cannot be ${text}` : `${name} is no setting`);
    }
    return { settings, problems };
  }

  // Streams of random numbers with one seed: judging a run does not change it.
  const STREAMS = { weights: 1, data: 2, noise: 3, between: 4, judge: 5 };
  const JUDGED = 2500; // points, as in the literature on mode coverage
  const REAL = 10000; // to compare them with
  const SHOWN = 400; // in a picture

  // One run: two players, their optimisers, and what they have done so far.
  class Lab {
    constructor(settings) {
      this.settings = { ...defaults(), ...settings };
      const { data, points, noise, widthG, widthD, activation, beta1, seed } = this.settings;
      this.data = dataset(data, points);
      const stream = (name) => new Random(seed, STREAMS[name]);
      [this.dataRandom, this.noiseRandom, this.betweenRandom] = ["data", "noise", "between"].map(
        stream,
      );
      const weights = stream("weights");
      this.G = new Mlp([noise, widthG, widthG, this.data.dim], activation, weights);
      this.D = new Mlp([this.data.dim, widthD, widthD, 1], activation, weights);
      // What is shown and judged: G with weights averaged over its last steps.
      this.averaged = Object.create(this.G, { params: { value: this.G.params.slice() } });
      this.adamG = new Adam(this.G.params.length, beta1, 0.999);
      this.adamD = new Adam(this.D.params.length, beta1, 0.999);
      const judge = stream("judge");
      this.judgeNoise = judge.normals(JUDGED * noise);
      const real = this.ready ? sample(this.data, REAL, judge) : new Float64Array(0);
      this.real = histogram(real, this.data.dim);
      this.shown = real.slice(0, SHOWN * this.data.dim);
      this.steps = 0; // of the generator
      this.lossD = this.lossG = this.gradientG = null;
    }

    // Whether there is anything to learn: false as long as no point is drawn.
    get ready() {
      return this.settings.data !== "drawn" || this.data.modes.length > 0;
    }

    get diverged() {
      return [this.lossD, this.lossG].some((loss) => loss !== null && !Number.isFinite(loss));
    }

    noise(n) {
      return this.noiseRandom.normals(n * this.settings.noise);
    }

    // The discriminator's loss on given points, and its gradient by the discriminator's weights.
    discriminatorLoss(real, fake) {
      const { loss, penalty } = this.settings;
      const { discriminator, centre } = LOSSES[loss];
      const n = real.length / this.data.dim;
      const both = new Float64Array(2 * real.length);
      both.set(real);
      both.set(fake, real.length);
      const trace = this.D.forward(both, 2 * n);
      const dOut = new Float64Array(2 * n);
      const grad = new Float64Array(this.D.params.length);
      let value = 0;
      for (let i = 0; i < n; i++) {
        const [one, byReal, byFake] = discriminator(trace.out[i], trace.out[n + i]);
        value += one / n;
        dOut[i] = byReal / n;
        dOut[n + i] = byFake / n;
      }
      this.D.backward(trace, dOut, grad);
      if (penalty > 0 && centre === 0) {
        // The mean over 2 n points halves both terms; R1 + R2 is their sum.
        value += addPenalty(this.D, both, 2 * n, 0, 2 * penalty, grad);
      } else if (penalty > 0) {
        value += addPenalty(this.D, this.between(real, fake), n, 1, penalty, grad);
      }
      return { value, grad };
    }

    // Points on the straight lines from real points to fake ones.
    between(real, fake) {
      const { dim } = this.data;
      const x = new Float64Array(real.length);
      for (let i = 0; i < real.length / dim; i++) {
        const share = this.betweenRandom.uniform();
        for (let c = i * dim; c < (i + 1) * dim; c++) x[c] = share * real[c] + (1 - share) * fake[c];
      }
      return x;
    }

    // The generator's loss on given noise, its gradient by the generator's weights and by the
    // generated points: the latter, times -n, is where the discriminator would move each of them.
    generatorLoss(z, real) {
      const { generator, paired } = LOSSES[this.settings.loss];
      const n = z.length / this.settings.noise;
      const traceG = this.G.forward(z, n);
      const traceD = this.D.forward(traceG.out, n);
      const realOut = paired ? this.D.forward(real, n).out : null;
      const dOut = new Float64Array(n);
      const grad = new Float64Array(this.G.params.length);
      let value = 0;
      for (let i = 0; i < n; i++) {
        const [one, byFake] = generator(traceD.out[i], paired ? realOut[i] : null);
        value += one / n;
        dOut[i] = byFake / n;
      }
      const byPoints = this.D.backward(traceD, dOut, null);
      this.G.backward(traceG, byPoints, grad);
      return { value, grad, fake: traceG.out, byPoints };
    }

    stepD() {
      const n = this.settings.batch;
      const real = sample(this.data, n, this.dataRandom);
      const fake = this.G.forward(this.noise(n), n).out;
      const { value, grad } = this.discriminatorLoss(real, fake);
      this.adamD.step(this.D.params, grad, this.settings.rateD);
      this.lossD = value;
    }

    stepG() {
      const n = this.settings.batch;
      const { paired } = LOSSES[this.settings.loss];
      const real = paired ? sample(this.data, n, this.dataRandom) : null;
      const { value, grad } = this.generatorLoss(this.noise(n), real);
      this.adamG.step(this.G.params, grad, this.settings.rateG);
      this.lossG = value;
      // At first the average is short, so as not to hold on to the weights of the beginning.
      const keep = Math.min(this.settings.average, this.steps / (this.steps + 10));
      const { params } = this.averaged;
      for (let p = 0; p < params.length; p++) params[p] += (1 - keep) * (this.G.params[p] - params[p]);
      this.gradientG = Math.sqrt(grad.reduce((sum, part) => sum + part * part, 0));
      this.steps += 1;
    }

    // One step of Algorithm 1: k times the discriminator, once the generator.
    step(k = this.settings.k) {
      for (let i = 0; i < k; i++) this.stepD();
      this.stepG();
    }

    // How far the averaged generator has come, on always the same noise.
    measure() {
      const fake = this.averaged.forward(this.judgeNoise, JUDGED).out;
      const shares = histogram(fake, this.data.dim);
      const { covered, counts, good } = modeCoverage(fake, this.data);
      let mean = 0; // of the first coordinate
      for (let i = 0; i < JUDGED; i++) mean += fake[i * this.data.dim] / JUDGED;
      return {
        steps: this.steps,
        covered,
        counts,
        good,
        mean,
        js: js(this.real, shares),
        kl: kl(this.real, smoothed(shares, JUDGED)),
        lossD: this.lossD,
        lossG: this.lossG,
        gradientG: this.gradientG,
      };
    }
  }

  Object.assign(GanLab, { LOSSES, SETTINGS, MOST_POINTS, SHOWN, Lab, defaults, parse });
  Object.assign(GanLab, { sigmoid, toFragment, fromFragment });
})();
