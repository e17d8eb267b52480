// The latent explorer, part 1: the generator and its noise, in plain JavaScript.
//
// LatentModel, the other script, holds the weights as gancourse.export writes them. Maps lie last
// everywhere: a layer's output is H x W x C, row by row. Nothing here touches the page.
(function () {
  "use strict";

  function bytes(text) {
    const binary = atob(text);
    const found = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) found[i] = binary.charCodeAt(i);
    return found;
  }

  // Little-endian float32; a DataView reads them so on every machine.
  function singles(text) {
    const view = new DataView(bytes(text).buffer);
    return Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
  }

  // Little-endian float16: a sign, five bits of exponent, ten of fraction.
  const POWERS = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 25));
  function halves(text) {
    const raw = bytes(text);
    const found = new Float32Array(raw.length / 2);
    for (let i = 0; i < found.length; i++) {
      const half = raw[2 * i] | (raw[2 * i + 1] << 8);
      const exponent = (half >> 10) & 31;
      const fraction = half & 1023;
      const size = exponent ? (1024 + fraction) * POWERS[exponent] : fraction * POWERS[1];
      found[i] = half & 32768 ? -size : size;
    }
    return found;
  }

  // The weights times their map's scale, which is what batch normalisation comes to.
  function folded(layer) {
    const weight = halves(layer.weight);
    const scale = singles(layer.scale);
    for (let i = 0; i < weight.length; i++) weight[i] *= scale[i % scale.length];
    return weight;
  }

  function unpack(model) {
    const vectors = singles(model.directions);
    const cut = (values, length) =>
      Array.from({ length: values.length / length }, (_, i) => values.slice(i * length, (i + 1) * length));
    const layers = model.layers.map((layer) => {
      const [height, width, maps] = layer.size;
      return {
        kind: layer.kind, activation: layer.activation, height, width, maps,
        weight: folded(layer), shift: singles(layer.shift),
      };
    });
    const last = layers[layers.length - 1];
    const pixels = last.height * last.width * last.maps;
    return {
      name: model.name, latent: model.latent, layers,
      height: last.height, width: last.width, channels: last.maps,
      directions: cut(vectors, model.latent), strengths: model.strengths,
      check: { z: cut(singles(model.check.z), model.latent), images: cut(singles(model.check.images), pixels) },
    };
  }

  function activate(layer, x) {
    const { maps, shift } = layer;
    const tanh = layer.activation === "tanh";
    for (let i = 0; i < x.length; i++) {
      const value = x[i] + shift[i % maps];
      x[i] = tanh ? Math.tanh(value) : Math.max(value, 0);
    }
    return x;
  }

  // Adds values[i] times row number rows[i] of the weights to `width` numbers of `out`, for every i
  // below `count`; four rows at a time, so that `out` is read and written less often.
  function addRows(out, to, weight, width, values, rows, count) {
    let i = 0;
    for (; i + 3 < count; i += 4) {
      const [a, b, c, d] = [values[i], values[i + 1], values[i + 2], values[i + 3]];
      const first = rows[i] * width;
      const second = rows[i + 1] * width;
      const third = rows[i + 2] * width;
      const fourth = rows[i + 3] * width;
      for (let j = 0; j < width; j++) {
        out[to + j] +=
          a * weight[first + j] + b * weight[second + j] + c * weight[third + j] + d * weight[fourth + j];
      }
    }
    for (; i < count; i++) {
      const [value, row] = [values[i], rows[i] * width];
      for (let j = 0; j < width; j++) out[to + j] += value * weight[row + j];
    }
  }

  function linear(layer, x) {
    const out = new Float32Array(layer.height * layer.width * layer.maps);
    addRows(out, 0, layer.weight, out.length, x, [...x.keys()], x.length);
    return activate(layer, out);
  }

  // A transposed convolution, kernel 4, stride 2, padding 1: every input pixel adds its patch of
  // 4 x 4 to the output, which is 2 wider and higher here, for the rim that the padding cuts off. A
  // row of a patch lies in one piece in the output, and so do its weights. ReLU has made about half
  // of the inputs 0: they are passed over.
  function up(layer, x) {
    const { height, width, maps, weight } = layer;
    const row = (width + 2) * maps;
    const sums = new Float32Array((height + 2) * row);
    const inputs = x.length / ((height / 2) * (width / 2));
    const values = new Float32Array(inputs);
    const rows = new Int32Array(inputs);
    let at = 0;
    for (let y = 0; y < height; y += 2) {
      for (let across = 0; across < width; across += 2, at += inputs) {
        let count = 0;
        for (let map = 0; map < inputs; map++) {
          if (x[at + map] === 0) continue;
          values[count] = x[at + map];
          rows[count++] = 4 * map;
        }
        for (let k = 0; k < 4; k++) {
          addRows(sums, (y + k) * row + across * maps, weight, 4 * maps, values, rows, count);
          for (let i = 0; i < count; i++) rows[i] += 1;
        }
      }
    }
    const out = new Float32Array(height * width * maps);
    for (let y = 0; y < height; y++) {
      const start = (y + 1) * row + maps;
      out.set(sums.subarray(start, start + width * maps), y * width * maps);
    }
    return activate(layer, out);
  }

  // Noise to an image, H x W x C in [-1, 1].
  function generate(net, z) {
    return net.layers.reduce((x, layer) => (layer.kind === "linear" ? linear : up)(layer, x), z);
  }

  // The largest difference to the images that torch made of the same noise.
  function difference(net) {
    let largest = 0;
    net.check.z.forEach((z, n) => {
      generate(net, z).forEach((value, i) => {
        largest = Math.max(largest, Math.abs(value - net.check.images[n][i]));
      });
    });
    return largest;
  }

  // 32 random bits at a time: the Mersenne twister, as torch seeds it (Matsumoto and Nishimura 1998).
  function twister(seed) {
    const state = new Uint32Array(624);
    state[0] = seed;
    for (let i = 1; i < 624; i++) {
      const last = state[i - 1] ^ (state[i - 1] >>> 30);
      state[i] = Math.imul(1812433253, last) + i;
    }
    let at = 624;
    return () => {
      if (at === 624) {
        for (let i = 0; i < 624; i++) {
          const both = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
          state[i] = state[(i + 397) % 624] ^ (both >>> 1) ^ (both & 1 ? 0x9908b0df : 0);
        }
        at = 0;
      }
      let bits = state[at++];
      bits ^= bits >>> 11;
      bits ^= (bits << 7) & 0x9d2c5680;
      bits ^= (bits << 15) & 0xefc60000;
      return (bits ^ (bits >>> 18)) >>> 0;
    };
  }

  // `count` vectors of noise: the numbers of torch.randn(count, length) after manual_seed(seed) on a
  // CPU. There, 16 uniform numbers of 24 bits become 16 normal ones (Box and Muller 1958). Their
  // number, count * length, must be a multiple of 16.
  function noise(seed, count, length) {
    const bits = twister(seed);
    const flat = Float64Array.from({ length: count * length }, () => (bits() & 0xffffff) / 0x1000000);
    for (let start = 0; start < flat.length; start += 16) {
      for (let i = start; i < start + 8; i++) {
        const radius = Math.sqrt(-2 * Math.log(1 - flat[i]));
        const angle = 2 * Math.PI * flat[i + 8];
        flat[i] = radius * Math.cos(angle);
        flat[i + 8] = radius * Math.sin(angle);
      }
    }
    return Array.from({ length: count }, (_, i) => Float32Array.from(flat.subarray(i * length, (i + 1) * length)));
  }

  // The chance that a standard normal number is above x >= 0, to seven digits (Press et al., Numerical
  // Recipes, 2nd edition, section 6.2).
  const TAIL = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398,
    1.48851587, -0.82215223, 0.17087277,
  ];
  function tail(x) {
    const t = 1 / (1 + x / Math.SQRT2 / 2);
    const power = TAIL.reduceRight((sum, c) => sum * t + c, 0);
    return (t / 2) * Math.exp((-x * x) / 2 + power);
  }

  // The x >= 0 whose tail is p <= 1/2: a first guess (Abramowitz and Stegun 26.2.23), made better twice.
  function quantile(p) {
    const t = Math.sqrt(-2 * Math.log(p));
    const above = 2.515517 + 0.802853 * t + 0.010328 * t * t;
    const below = 1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3;
    let x = Math.max(t - above / below, 0);
    for (let i = 0; i < 2; i++) {
      const off = (tail(Math.max(x, 0)) - p) * Math.sqrt(2 * Math.PI) * Math.exp((x * x) / 2);
      x = Math.max(x + off / (1 - (x * off) / 2), 0);
    }
    return x;
  }

  // gancourse.latent.truncate: each coordinate keeps its rank, and none is beyond the threshold.
  function truncate(z, threshold) {
    if (threshold === Infinity) return z;
    const outside = tail(threshold);
    return z.map((value) => {
      const rank = Math.min(outside + tail(Math.abs(value)) * (1 - 2 * outside), 0.5);
      return Math.sign(value) * Math.min(quantile(rank), threshold);
    });
  }

  const length = (z) => Math.sqrt(z.reduce((sum, value) => sum + value * value, 0));

  // A point on the way from a to b: straight, or along the arc (gancourse.latent.slerp).
  function between(a, b, t, kind) {
    let [first, second] = [1 - t, t];
    if (kind === "arc") {
      const dot = a.reduce((sum, value, i) => sum + value * b[i], 0);
      const angle = Math.acos(Math.min(Math.max(dot / (length(a) * length(b)), -1), 1));
      if (Math.sin(angle) > 1e-3) {
        first = Math.sin((1 - t) * angle) / Math.sin(angle);
        second = Math.sin(t * angle) / Math.sin(angle);
      }
    }
    return a.map((value, i) => first * value + second * b[i]);
  }

  // z after a step of some length in each direction.
  function moved(z, directions, steps) {
    return z.map((value, i) => steps.reduce((sum, step, k) => sum + step * directions[k][i], value));
  }

  globalThis.Latent = { between, difference, generate, length, moved, noise, truncate, unpack };
})();
