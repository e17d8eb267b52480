// The GAN laboratory, part 1: random numbers, networks with their gradients, Adam.
//
// A page opened from a file may not import modules, so every part is a plain script that adds to
// the one global, GanLab. (It ends in .mjs because Jupyter Book may load any .js below a static
// path on every page; servers know .mjs as JavaScript.)
//
// Points of a batch lie one after another in one Float64Array: coordinate c of point i of n points
// in the plane is x[2 * i + c].
(function () {
  "use strict";
  const GanLab = (globalThis.GanLab = globalThis.GanLab || {});

  // sfc32 by Chris Doty-Humphrey (PractRand): 128 bits of state, adds, shifts and one rotation.
  // The state starts as (seed, stream, a constant, 1); 20 rounds mix it.
  class Random {
    constructor(seed, stream) {
      this.a = seed | 0;
      this.b = stream | 0;
      this.c = 0x9e3779b9 | 0;
      this.d = 1;
      this.spare = null;
      for (let i = 0; i < 20; i++) this.bits();
    }

    // A whole number from 0 to 2^32 - 1.
    bits() {
      const sum = (this.a + this.b + this.d) | 0;
      this.d = (this.d + 1) | 0;
      this.a = this.b ^ (this.b >>> 9);
      this.b = (this.c + (this.c << 3)) | 0;
      this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
      return sum >>> 0;
    }

    // Uniform in (0, 1): never 0, so that its logarithm is finite.
    uniform() {
      return (this.bits() + 0.5) / 4294967296;
    }

    below(n) {
      return Math.floor(this.uniform() * n);
    }

    // Standard normal, by Box and Muller: two uniform numbers give two normal ones.
    normal() {
      if (this.spare !== null) {
        const kept = this.spare;
        this.spare = null;
        return kept;
      }
      const radius = Math.sqrt(-2 * Math.log(this.uniform()));
      const angle = 2 * Math.PI * this.uniform();
      this.spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    }

    normals(count) {
      return Float64Array.from({ length: count }, () => this.normal());
    }
  }

  // Hidden activations. Slope and bend, the first and second derivative at the input, are written
  // as functions of the output, which is what the forward pass keeps.
  const ACTIVATIONS = {
    tanh: { value: Math.tanh, slope: (a) => 1 - a * a, bend: (a) => -2 * a * (1 - a * a) },
    leaky: {
      value: (u) => (u > 0 ? u : 0.2 * u),
      slope: (a) => (a > 0 ? 1 : 0.2),
      bend: () => 0,
    },
  };

  // out[start + i * cols + j] += sum over k < inner of a(i, k) b(j, k), where a(i, k) is
  // a[aStart + i * aRow + k * aStep], and b likewise. All the time goes here: the sums of two rows
  // and four columns are kept at once, so that eight products need six numbers from memory.
  function addProduct(out, start, [rows, cols, inner], [a, aStart, aRow, aStep], [b, bStart, bRow, bStep]) {
    for (let i = 0; i < rows; i += 2) {
      const two = i + 1 < rows;
      for (let j = 0; j < cols; j += 4) {
        const more = cols - j; // beyond the last row or column the last one stands in, unused
        let a0 = aStart + i * aRow;
        let a1 = two ? a0 + aRow : a0;
        let b0 = bStart + j * bRow;
        let b1 = more > 1 ? b0 + bRow : b0;
        let b2 = more > 2 ? b1 + bRow : b0;
        let b3 = more > 3 ? b2 + bRow : b0;
        let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
        for (let k = 0; k < inner; k++) {
          const s = a[a0];
          const t = a[a1];
          s0 += s * b[b0];
          s1 += s * b[b1];
          s2 += s * b[b2];
          s3 += s * b[b3];
          t0 += t * b[b0];
          t1 += t * b[b1];
          t2 += t * b[b2];
          t3 += t * b[b3];
          a0 += aStep;
          a1 += aStep;
          b0 += bStep;
          b1 += bStep;
          b2 += bStep;
          b3 += bStep;
        }
        const at = start + i * cols + j;
        out[at] += s0;
        if (more > 1) out[at + 1] += s1;
        if (more > 2) out[at + 2] += s2;
        if (more > 3) out[at + 3] += s3;
        if (two) {
          out[at + cols] += t0;
          if (more > 1) out[at + cols + 1] += t1;
          if (more > 2) out[at + cols + 2] += t2;
          if (more > 3) out[at + cols + 3] += t3;
        }
      }
    }
  }

  // A multilayer perceptron; the last layer is linear. All weights are one array, in the order of
  // torch's parameters(): for each layer the matrix (outputs x inputs, by rows), then the bias.
  class Mlp {
    constructor(sizes, activation, random) {
      this.activation = ACTIVATIONS[activation];
      this.layers = [];
      let at = 0;
      for (let l = 0; l + 1 < sizes.length; l++) {
        const [inputs, outputs] = [sizes[l], sizes[l + 1]];
        this.layers.push({ inputs, outputs, weight: at, bias: at + inputs * outputs });
        at += (inputs + 1) * outputs;
      }
      this.params = new Float64Array(at);
      for (const layer of this.layers) {
        // Variance 2 / inputs keeps the size of signals through leaky layers (He et al. 2015).
        const hidden = layer !== this.layers[this.layers.length - 1];
        const scale = Math.sqrt((hidden ? 2 : 1) / layer.inputs);
        for (let p = layer.weight; p < layer.bias; p++) this.params[p] = scale * random.normal();
        // Biases spread the kinks, which would otherwise all pass through the origin.
        for (let o = 0; hidden && o < layer.outputs; o++) {
          this.params[layer.bias + o] = 0.5 * random.normal();
        }
      }
    }

    // W x for n rows x; plus the bias if asked for.
    times(layer, x, n, withBias) {
      const { inputs, outputs, weight, bias } = layer;
      const y = new Float64Array(n * outputs);
      if (withBias) for (let j = 0; j < y.length; j++) y[j] = this.params[bias + (j % outputs)];
      addProduct(y, 0, [n, outputs, inputs], [x, 0, inputs, 1], [this.params, weight, inputs, 1]);
      return y;
    }

    // W^T d for n rows d.
    timesTransposed(layer, d, n) {
      const { inputs, outputs, weight } = layer;
      const y = new Float64Array(n * inputs);
      addProduct(y, 0, [n, inputs, outputs], [d, 0, outputs, 1], [this.params, weight, 1, inputs]);
      return y;
    }

    // grad of W += sum over the rows of d x^T.
    addProducts(layer, d, x, n, grad) {
      const { inputs, outputs, weight } = layer;
      addProduct(grad, weight, [outputs, inputs, n], [d, 0, 1, outputs], [x, 0, 1, inputs]);
    }

    addSums(layer, d, n, grad) {
      const { outputs, bias } = layer;
      for (let i = 0; i < n; i++) {
        for (let o = 0; o < outputs; o++) grad[bias + o] += d[i * outputs + o];
      }
    }

    // The trace of n points: acts[0] is x, acts[l] the output of layer l, `out` the last of them.
    forward(x, n) {
      const acts = [x];
      const { value } = this.activation;
      this.layers.forEach((layer, l) => {
        const y = this.times(layer, acts[l], n, true);
        if (l < this.layers.length - 1) for (let j = 0; j < y.length; j++) y[j] = value(y[j]);
        acts.push(y);
      });
      return { n, acts, out: acts[acts.length - 1] };
    }

    // Given the gradient of a loss by the outputs: adds its gradient by the weights to `grad`
    // (unless null) and returns its gradient by the inputs.
    backward(trace, dOut, grad) {
      const { slope } = this.activation;
      let d = dOut;
      for (let l = this.layers.length - 1; l >= 0; l--) {
        const layer = this.layers[l];
        if (grad) {
          this.addProducts(layer, d, trace.acts[l], trace.n, grad);
          this.addSums(layer, d, trace.n, grad);
        }
        d = this.timesTransposed(layer, d, trace.n);
        if (l > 0) for (let j = 0; j < d.length; j++) d[j] *= slope(trace.acts[l][j]);
      }
      return d;
    }

    // The gradient of the (single) output by the inputs, for every point.
    inputGradient(trace) {
      return this.backward(trace, new Float64Array(trace.n).fill(1), null);
    }

    // Adds to `grad` the gradient, by the weights, of sum_i v_i . grad_x D(x_i), with v held fixed.
    //
    // v . grad_x D is the rate at which D changes when x moves along v. Forward, the rates of all
    // units are carried through the layers beside their values: r = W t for a layer that receives
    // the rates t, and slope * r after the activation. Backward, the chain rule runs through both:
    // the slope depends on the value too, which is where the bend comes in.
    addDirectional(trace, v, grad) {
      const { slope, bend } = this.activation;
      const { n, acts } = trace;
      const last = this.layers.length - 1;
      const tangents = [v];
      const rates = [];
      this.layers.forEach((layer, l) => {
        rates.push(this.times(layer, tangents[l], n, false));
        if (l < last) tangents.push(rates[l].map((r, j) => r * slope(acts[l + 1][j])));
      });
      // Gradients of the sum by the rates and by the values before the activation of a layer. The
      // sum is that of the last layer's rates: by them the gradient is 1, by the values 0.
      let byRate = new Float64Array(n).fill(1);
      let byValue = new Float64Array(n);
      for (let l = last; l >= 0; l--) {
        const layer = this.layers[l];
        this.addProducts(layer, byRate, tangents[l], n, grad);
        this.addProducts(layer, byValue, acts[l], n, grad);
        this.addSums(layer, byValue, n, grad);
        byRate = this.timesTransposed(layer, byRate, n);
        byValue = this.timesTransposed(layer, byValue, n);
        for (let j = 0; l > 0 && j < byRate.length; j++) {
          const a = acts[l][j];
          const s = slope(a);
          byValue[j] = byValue[j] * s + byRate[j] * bend(a) * rates[l - 1][j];
          byRate[j] *= s;
        }
      }
    }
  }

  // Adam (Kingma and Ba 2015, Algorithm 1), as torch computes it.
  class Adam {
    constructor(size, beta1, beta2) {
      Object.assign(this, { beta1, beta2, steps: 0 });
      this.mean = new Float64Array(size);
      this.square = new Float64Array(size);
    }

    step(params, grad, rate) {
      this.steps += 1;
      const unbias1 = 1 - this.beta1 ** this.steps;
      const unbias2 = 1 - this.beta2 ** this.steps;
      for (let p = 0; p < params.length; p++) {
        this.mean[p] = this.beta1 * this.mean[p] + (1 - this.beta1) * grad[p];
        this.square[p] = this.beta2 * this.square[p] + (1 - this.beta2) * grad[p] * grad[p];
        const size = Math.sqrt(this.square[p] / unbias2) + 1e-8;
        params[p] -= (rate * this.mean[p]) / unbias1 / size;
      }
    }
  }

  Object.assign(GanLab, { Random, Mlp, Adam, ACTIVATIONS });
})();
