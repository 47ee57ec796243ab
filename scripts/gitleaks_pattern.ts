// A pattern of Go's RE2 syntax in that of JavaScript.

/**
 * `(?i)` within a group holds until its end, over its alternatives; JavaScript knows only `(?i:…)`.
 * Also `\z`, `(?P<name>…)`, `[[:alnum:]]` and a `]` that comes first in a class.
 */
export function fromGo(pattern: string): string {
  // Of each open group: the flags that were set within it, as JavaScript's opening of a group.
  const flagged = [""];
  let out = "", at = 0;
  while (at < pattern.length) {
    const rest = pattern.slice(at);
    const flags = /^\(\?([ims-]+)\)/.exec(rest);
    const opening = /^\((?:\?(?:P<\w+>|[ims-]*:))?/.exec(rest);
    const inner = flagged.length - 1;
    if (rest.startsWith("\\z")) {
      out += "(?![\\s\\S])";
      at += 2;
    } else if (rest[0] === "\\") {
      out += rest.slice(0, 2);
      at += 2;
    } else if (rest[0] === "[") {
      const length = classLength(rest);
      out += classOf(rest.slice(0, length));
      at += length;
    } else if (flags !== null) {
      out += (flagged[inner] === "" ? "" : ")") + `(?${flags[1]}:`;
      flagged[inner] = `(?${flags[1]}:`;
      at += flags[0].length;
    } else if (opening !== null) {
      out += opening[0].startsWith("(?P<") ? "(" : opening[0];
      flagged.push("");
      at += opening[0].length;
    } else if (rest[0] === ")") {
      out += flagged.pop() === "" ? ")" : "))";
      at++;
    } else if (rest[0] === "|" && flagged[inner] !== "") {
      out += `)|${flagged[inner]}`;
      at++;
    } else {
      out += rest[0];
      at++;
    }
  }
  return flagged[0] === "" ? out : `${out})`;
}

/** Characters of the class that a text starts with. */
function classLength(text: string): number {
  let at = text[1] === "^" ? 2 : 1;
  if (text[at] === "]") at++;
  while (at < text.length && text[at] !== "]") {
    if (text.startsWith("[:", at)) at = text.indexOf(":]", at) + 2;
    else at += text[at] === "\\" ? 2 : 1;
  }
  return at + 1;
}

function classOf(text: string): string {
  return text.replace(/^\[(\^?)\]/, "[$1\\]").replaceAll("[:alnum:]", "A-Za-z0-9");
}
