// SHA-256 of a short text, at once: the hosts' own is asynchronous or not everywhere the same.

/** The first 32 bits of the fractional part. */
function fraction(value: number): number {
  return (value - Math.floor(value)) * 2 ** 32 | 0;
}

const primes: number[] = [];
for (let at = 2; primes.length < 64; at++) {
  if (primes.every((prime) => at % prime !== 0)) primes.push(at);
}

function rotate(word: number, bits: number): number {
  return word >>> bits | word << 32 - bits;
}

/** As 64 hexadecimal digits. */
export function sha256(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const blocks = (bytes.length + 9 + 63) >> 6;
  const words = new Int32Array(blocks * 16);
  bytes.forEach((byte, at) => words[at >> 2]! |= byte << 24 - (at & 3) * 8);
  words[bytes.length >> 2]! |= 0x80 << 24 - (bytes.length & 3) * 8;
  words[words.length - 1] = bytes.length * 8;
  const state = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
  const constants = primes.map((prime) => fraction(Math.cbrt(prime)));
  const w = new Int32Array(64);
  for (let block = 0; block < blocks; block++) {
    let [a, b, c, d, e, f, g, h] = state as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    for (let at = 0; at < 64; at++) {
      if (at < 16) w[at] = words[block * 16 + at]!;
      else {
        const [x, y] = [w[at - 15]!, w[at - 2]!];
        const small = rotate(x, 7) ^ rotate(x, 18) ^ x >>> 3;
        const large = rotate(y, 17) ^ rotate(y, 19) ^ y >>> 10;
        w[at] = w[at - 16]! + small + w[at - 7]! + large;
      }
      const choice = e & f ^ ~e & g;
      const first = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice +
          constants[at]! +
          w[at]! | 0;
      const majority = a & b ^ a & c ^ b & c;
      const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority |
        0;
      [h, g, f, e, d, c, b, a] = [
        g,
        f,
        e,
        d + first | 0,
        c,
        b,
        a,
        first + second | 0,
      ];
    }
    [a, b, c, d, e, f, g, h].forEach((word, at) => state[at] = state[at]! + word | 0);
  }
  return state.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join(
    "",
  );
}
