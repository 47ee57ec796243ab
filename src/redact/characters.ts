// Questions about one character, by its code, that every detector asks.

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

/** Letters, digits and underscore; false for NaN, which stands for the end of a text. */
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
