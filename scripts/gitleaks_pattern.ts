// A pattern of Go's RE2 syntax in that of JavaScript.

/** A group, and whether flags were set within it that end with it. */
interface Group {
  /** Flags that were set within, such as `(?i)`, written as JavaScript's opening of a group. */
  flags: string;
}

/**
 * `(?i)` within a group holds until its end, over its alternatives; JavaScript knows only `(?i:…)`.
 * Also `\z`, `(?P<name>…)`, `[[:alnum:]]` and a `]` that comes first in a class.
 */
export function fromGo(pattern: string): string {
  const groups: Group[] = [{ flags: "" }];
  let out = "", at = 0;
  while (at < pattern.length) {
    const rest = pattern.slice(at);
    const flags = /^\(\?([ims-]+)\)/.exec(rest);
    const opening = /^\((?:\?(?:P<\w+>|[ims-]*:))?/.exec(rest);
    const group = groups.at(-1)!;
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
      out += (group.flags === "" ? "" : ")") + `(?${flags[1]}:`;
      group.flags = `(?${flags[1]}:`;
      at += flags[0].length;
    } else if (opening !== null) {
      out += opening[0].startsWith("(?P<") ? "(" : opening[0];
      groups.push({ flags: "" });
      at += opening[0].length;
    } else if (rest[0] === ")") {
      out += group.flags === "" ? ")" : "))";
      groups.pop();
      at++;
    } else if (rest[0] === "|" && group.flags !== "") {
      out += `)|${group.flags}`;
      at++;
    } else {
      out += rest[0];
      at++;
    }
  }
  return groups[0]!.flags === "" ? out : `${out})`;
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
