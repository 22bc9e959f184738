/**
 * HMAC-SHA256 (RFC 2104, FIPS 180-4). The browser's own is only there in a secure context, which a page from a
 * server without https is not.
 */

const BLOCK = 64;

/** The first 32 bits of the fractional parts of square or cube roots of primes. @param {number} count @param {number} root */
function constants(count, root) {
  const found = [];
  for (let number = 2; found.length < count; number++) {
    let divisor = 2;
    while (number % divisor) divisor++;
    if (divisor === number) found.push(((number ** (1 / root) % 1) * 2 ** 32) >>> 0);
  }
  return found;
}

const K = constants(64, 3);
const START = constants(8, 2);

/** @param {number} word @param {number} by */
const turned = (word, by) => (word >>> by) | (word << (32 - by));

/** @param {Uint8Array} bytes */
function sha256(bytes) {
  const size = Math.ceil((bytes.length + 9) / BLOCK) * BLOCK;
  const padded = new Uint8Array(size);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(size - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(size - 4, bytes.length << 3);
  const hash = new Uint32Array(START);
  const words = new Uint32Array(64);
  const at = (/** @type {number} */ index) => /** @type {number} */ (words[index]);
  for (let block = 0; block < size; block += BLOCK) {
    for (let index = 0; index < 64; index++) {
      if (index < 16) {
        words[index] = view.getUint32(block + 4 * index);
        continue;
      }
      const [early, late] = [at(index - 15), at(index - 2)];
      words[index] =
        at(index - 16) + at(index - 7) +
        (turned(early, 7) ^ turned(early, 18) ^ (early >>> 3)) +
        (turned(late, 17) ^ turned(late, 19) ^ (late >>> 10));
    }
    /** @type {[number, number, number, number, number, number, number, number]} */
    let state = /** @type {any} */ ([...hash]);
    for (let index = 0; index < 64; index++) {
      const [a, b, c, d, e, f, g, h] = state;
      const first =
        h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) +
        /** @type {number} */ (K[index]) + at(index);
      const second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      state = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g];
    }
    state.forEach((word, index) => (hash[index] = /** @type {number} */ (hash[index]) + word));
  }
  const result = new Uint8Array(32);
  hash.forEach((word, index) => new DataView(result.buffer).setUint32(4 * index, word));
  return result;
}

/**
 * @param {string} key in hexadecimal; at most one block long
 * @param {string} text
 * @returns {string} in hexadecimal
 */
export function hmacSha256(key, text) {
  const padded = new Uint8Array(BLOCK);
  padded.set((key.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
  const inner = padded.map((byte) => byte ^ 0x36);
  const outer = padded.map((byte) => byte ^ 0x5c);
  const hash = sha256(joined(outer, sha256(joined(inner, new TextEncoder().encode(text)))));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Uint8Array} a @param {Uint8Array} b */
function joined(a, b) {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
