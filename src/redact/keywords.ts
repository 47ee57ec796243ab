// Finds many keywords in one pass over a text, without regard to case (Aho–Corasick over ASCII), and
// notes its digits on the way: the cheap look that decides which detectors run at all.

const digitBit = 0x100;

export interface Hits {
  /** Keyword and the index after its last character, in order of the text. */
  keywords: number[];
  ends: number[];
  /** Where each run of digits starts. */
  digits: number[];
}

export class Keywords {
  /** Class of each character code; those in no keyword share class 0. */
  #classes = new Uint16Array(128);
  /** Next state, times the number of classes; states with output come last. */
  #next: Int32Array;
  #firstOutput: number;
  #outputs: number[][];
  #width: number;

  constructor(keywords: readonly string[]) {
    let width = 1;
    for (const keyword of keywords) {
      for (const letter of keyword.toLowerCase()) {
        const code = letter.charCodeAt(0);
        if (code > 127) throw new Error(`Keywords are ASCII; "${keyword}" is not.`);
        if (this.#classes[code] === 0) this.#classes[code] = width++;
      }
    }
    for (let code = 65; code <= 90; code++) this.#classes[code] = this.#classes[code + 32]!;
    this.#width = width;
    const { next, outputs } = automatonOf(keywords, this.#classes, width);
    const order = outputs.map((_, state) => state)
      .sort((a, b) => Number(outputs[a]!.length > 0) - Number(outputs[b]!.length > 0) || a - b);
    const place = new Map(order.map((state, at) => [state, at]));
    const silent = outputs.filter((output) => output.length === 0).length;
    this.#next = new Int32Array(next.length);
    for (let state = 0; state < outputs.length; state++) {
      for (let letter = 0; letter < width; letter++) {
        this.#next[place.get(state)! * width + letter] = place.get(next[state * width + letter]!)! *
          width;
      }
    }
    this.#firstOutput = silent * width;
    this.#outputs = order.slice(silent).map((state) => outputs[state]!);
    for (let code = 48; code <= 57; code++) this.#classes[code]! |= digitBit;
  }

  /** `hits` is emptied and filled, so that no text costs an allocation. */
  find(text: string, hits: Hits): void {
    const classes = this.#classes, next = this.#next, firstOutput = this.#firstOutput;
    hits.keywords.length = 0;
    hits.ends.length = 0;
    hits.digits.length = 0;
    let state = 0, before = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      const kind = code < 128 ? classes[code]! : 0;
      const digit = kind & digitBit;
      if (digit > before) hits.digits.push(at);
      before = digit;
      state = next[state + (kind & 0xff)]!;
      if (state >= firstOutput) {
        for (const keyword of this.#outputs[(state - firstOutput) / this.#width]!) {
          hits.keywords.push(keyword);
          hits.ends.push(at + 1);
        }
      }
    }
  }
}

/** State 0 is the start. */
function automatonOf(keywords: readonly string[], classes: Uint16Array, width: number) {
  const next: number[] = new Array(width).fill(-1);
  const outputs: number[][] = [[]];
  keywords.forEach((keyword, index) => {
    let state = 0;
    for (const letter of keyword.toLowerCase()) {
      const at = state * width + classes[letter.charCodeAt(0)]!;
      if (next[at] === -1) {
        next[at] = outputs.length;
        outputs.push([]);
        for (let fresh = 0; fresh < width; fresh++) next.push(-1);
      }
      state = next[at]!;
    }
    outputs[state]!.push(index);
  });
  const fallback = new Array<number>(outputs.length).fill(0);
  const queue = [0];
  for (const state of queue) {
    for (let letter = 0; letter < width; letter++) {
      const at = state * width + letter;
      const other = state === 0 ? 0 : next[fallback[state]! * width + letter]!;
      const child = next[at]!;
      if (child === -1) {
        next[at] = other;
        continue;
      }
      fallback[child] = other;
      outputs[child]!.push(...outputs[other]!);
      queue.push(child);
    }
  }
  return { next, outputs };
}
