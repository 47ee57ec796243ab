// Questions about one character, by its code, that every detector asks.

/**
 * The code at an index, -1 beyond the ends. A single charCodeAt beyond them, which answers NaN, makes
 * every later call at its place in the program several times slower.
 */
export function codeAt(text: string, at: number): number {
  return at >= 0 && at < text.length ? text.charCodeAt(at) : -1;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isUpper(code: number): boolean {
  return code >= 65 && code <= 90;
}

export function isLetter(code: number): boolean {
  return (code | 32) >= 97 && (code | 32) <= 122;
}

export function isAlphanumeric(code: number): boolean {
  return isDigit(code) || isLetter(code);
}

/** Letters, digits and underscore. */
export function isWord(code: number): boolean {
  return isDigit(code) || isLetter(code) || code === 95;
}

export function isHex(code: number): boolean {
  return isDigit(code) || ((code | 32) >= 97 && (code | 32) <= 102);
}

/** Letters beyond ASCII of scripts that put spaces between words. */
export function isForeignLetter(code: number): boolean {
  return code >= 0xc0 && code <= 0x1fff && code !== 0xd7 && code !== 0xf7;
}
