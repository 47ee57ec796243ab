// A message → its template: what differs between two occurrences of one failure becomes a
// placeholder. Pure; a template is its own template.

/** A failure is known by how its message begins; traces and dumps that follow are left out. */
export const messageCharactersMax = 500;

const placeholder = "<(?:url|email|uuid|time|ip|path|hex|id|num|str)>";

/** In the order in which they are tried at one place. Each is linear: no quantifier holds another. */
const forms: readonly (readonly [name: string, pattern: string])[] = [
  ["url", String.raw`\b[A-Za-z][A-Za-z0-9+.-]{1,15}:\/\/[^\s"'<>` + "`" + String.raw`]+`],
  ["email", String.raw`[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}\.[A-Za-z0-9.-]{2,63}`],
  ["uuid", String.raw`\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b`],
  [
    "time",
    String
      .raw`\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?\b`,
  ],
  ["ip", String.raw`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?\b`],
  // A quote opens where no word ends and closes where none begins: it is none in "can't".
  ["str", String.raw`(?<![\w>])"[^"]*"(?!\w)`],
  ["str", String.raw`(?<![\w>])'[^']*'(?!\w)`],
  ["str", "(?<![\\w>])`[^`]*`(?!\\w)"],
  ["str", String.raw`“[^”]*”`],
  ["path", String.raw`(?<![\w<>/\\])(?:[A-Za-z]:|~|\.{1,2})?[\\/][\w.@~+%-]+(?:[\\/][\w.@~+%-]*)+`],
  ["hex", String.raw`\b0[xX][0-9A-Fa-f]+\b`],
  ["hex", String.raw`\b(?=[0-9A-Fa-f]*\d)(?=[0-9A-Fa-f]*[A-Fa-f])[0-9A-Fa-f]{8,}\b`],
  // req_011CZ…, call_9hVx…, chatcmpl-8f…: a word, a joint, and a tail with a digit in it.
  ["id", String.raw`\b[A-Za-z]{2,16}[_-](?=[A-Za-z0-9]*\d)[A-Za-z0-9]{6,}\b`],
  ["id", String.raw`\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}\b`],
  // Digits that belong to a name, as in utf8, h2 and s3, stay.
  [
    "num",
    String
      .raw`(?:(?<!\w)[+-])?(?<![A-Za-z\d])\d+(?:[.,:]\d+)*(?:%|(?:ms|[smhkKMG]|[kKMG]i?[bB])\b)?`,
  ],
  ["num", String.raw`(?<=[A-Za-z])\d{3,}`],
];

const names = forms.map(([name]) => `<${name}>`);
const any = new RegExp(
  [placeholder, ...forms.map(([, pattern]) => pattern)].map((pattern) => `(${pattern})`).join("|"),
  "g",
);

/**
 * Placeholders for numbers, ids, times, addresses, paths and quoted text; white space is one blank.
 * A form can come to light when its neighbour is gone, so it goes on until nothing changes: each turn
 * takes characters away, and there are few of them.
 */
export function templateOf(message: string): string {
  // A cut must not go through a character or leave a word that is an id in part.
  let text = message.slice(0, messageCharactersMax).toWellFormed().replaceAll(/\s+/g, " ").trim();
  for (;;) {
    const next = replaced(text);
    if (next === text) return text;
    text = next;
  }
}

function replaced(text: string): string {
  return text.replaceAll(any, (match: string, ...groups: unknown[]) => {
    // The first group is a placeholder that stands.
    if (groups[0] !== undefined) return match;
    return names[groups.findIndex((group, at) => at > 0 && group !== undefined) - 1] ?? match;
  }).trim();
}
