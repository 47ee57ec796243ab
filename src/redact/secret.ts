// Keys, tokens and passwords. Tokens are known by the form that their issuer gave them; a value of
// another form by the name it is assigned to and how random it looks.
import { codeAt, isAlphanumeric, isWord } from "./characters.ts";
import { entropy } from "./checksums.ts";
import { tellsNumber } from "./context.ts";
import type { Keyword } from "./keywords.ts";
import type { Span } from "./kinds.ts";
import { reachBack, serviceNames, tokenRows } from "./secret_rules.ts";

interface Token {
  rule: string;
  prefix: string;
  /** Sticky: the prefix and what follows. */
  pattern: RegExp;
  /** What stands before the prefix. */
  before: RegExp | undefined;
  /** Characters after the prefix that are no white space, at least. */
  denseMin: number;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");

/** Rules that want less than others after their prefix, or white space. */
const sparse = new Set(["mailchimp-key", "maxmind-key", "private-key", "putty-key"]);

const tokens: Token[] = tokenRows.map(([rule, prefix, rest]) => ({
  rule,
  prefix,
  pattern: new RegExp(escaped(prefix) + rest, "y"),
  before: reachBack.get(rule),
  denseMin: sparse.has(rule) ? 0 : 8,
}));

const passwordWords = ["passw", "pwd", "passphrase", "passcode", "contrase", "kennwort"];
const secretWords = ["secret", "token", "credential", "key", "auth", "bearer", "basic", "curl"];
const nameWords = [...passwordWords, ...secretWords, ...serviceNames];

/** Keywords that lead here, in the order of `secretAt`. */
export const secretKeywords: readonly (string | Keyword)[] = [
  ...tokens.map(({ prefix, before }): Keyword => ({
    text: prefix,
    exact: true,
    // What stands before is told by `before`, or belongs to another word.
    apart: before === undefined && isAlphanumeric(prefix.charCodeAt(0)),
  })),
  ...nameWords,
];

/** The secret that a keyword leads to; `end` is the index after the keyword. */
export function secretAt(keyword: number, text: string, end: number): Span | null {
  const token = tokens[keyword];
  if (token !== undefined) return tokenAt(token, text, end);
  const word = nameWords[keyword - tokens.length]!;
  if (word === "curl") return curlUserAt(text, end);
  if (word === "bearer" || word === "basic") return authorizationAt(text, end);
  return assignedAt(text, end - word.length, end, passwordWords.includes(word));
}

const reachBackMax = 40;
const privateKeyMax = 16 * 1024;

function tokenAt(token: Token, text: string, end: number): Span | null {
  const { rule, prefix, pattern, before } = token;
  // Most are the beginning of a common word, which ends soon.
  for (let at = end; at < end + token.denseMin; at++) if (codeAt(text, at) <= 32) return null;
  let start = end - prefix.length;
  if (before !== undefined) {
    const reached = before.exec(text.slice(Math.max(0, start - reachBackMax), start));
    if (reached === null) return null;
    pattern.lastIndex = start;
    start -= reached[0].length;
  } else pattern.lastIndex = start;
  const [found] = pattern.exec(text) ?? [];
  if (found === undefined) return null;
  let last = pattern.lastIndex;
  if (rule === "private-key") last = privateKeyEnd(text, last);
  else if (rule === "putty-key") last = Math.min(text.length, last + privateKeyMax);
  // A longer run of letters is something else.
  else if (isWord(codeAt(text, last)) && isWord(codeAt(text, last - 1))) return null;
  const value = text.slice(start, last);
  if (isExample(value) || entropy(value.slice(prefix.length, 200)) < tokenEntropyMin) return null;
  return { start, end: last, kind: "SECRET", rule };
}

const tokenEntropyMin = 2;

function privateKeyEnd(text: string, from: number): number {
  const closing = text.indexOf("-----END", from);
  if (closing !== -1 && closing - from <= privateKeyMax) {
    const tail = text.indexOf("-----", closing + 8);
    return tail === -1 || tail - closing > 80 ? closing + 8 : tail + 5;
  }
  // Cut short: what looks like its lines goes with it.
  const body = /^[\sA-Za-z0-9+/=\\:,-]*/.exec(text.slice(from, from + privateKeyMax))!;
  return from + body[0].length;
}

/** Values that documentation uses, and what stands for a value. */
function isExample(value: string): boolean {
  return value.endsWith("EXAMPLE") ||
    /x{8}|\*{3}|0{12}|1234567890abcdef$|your[_-]|<[a-z_ -]+>/i.test(value);
}

const credentials = /[ \t]{1,4}([\w.~+/-]{12,4096}={0,3})/y;

/** `Authorization: Bearer …`, `Basic …`. */
function authorizationAt(text: string, end: number): Span | null {
  credentials.lastIndex = end;
  const found = credentials.exec(text);
  if (found === null) return null;
  const value = found[1]!;
  if (!looksRandom(value, 3)) return null;
  return {
    start: credentials.lastIndex - value.length,
    end: credentials.lastIndex,
    kind: "SECRET",
    rule: "authorization",
  };
}

const curlUser = /[^\n]{0,200}?[ \t](?:-u|--user)[ =]{0,2}["']?([^\s"':]{1,64}:[^\s"']{3,128})/y;

/** `curl -u user:password`. */
function curlUserAt(text: string, end: number): Span | null {
  curlUser.lastIndex = end;
  const found = curlUser.exec(text);
  if (found === null || reference.test(found[1]!.slice(found[1]!.indexOf(":") + 1))) return null;
  const last = curlUser.lastIndex;
  return { start: last - found[1]!.length, end: last, kind: "SECRET", rule: "curl-user" };
}

const nameMax = 40;
/** Between a name and its value: `": "`, ` = '`, `:=`, `=>`, `(`, `>`; for passwords also `is`. */
const assignment = new RegExp(
  // The end of the name's quotes, or of a name that is itself a value: `key="x" value="…"`.
  "[\"'`\\]]{0,2}[ \\t]{0,8}(?:,?[ \\t]{0,4}[\"']?[Vv]alue[\"']?[ \\t]{0,4})?" +
    "(?::=|=>|\\|\\||[:=(>])[ \\t]{0,8}(?:[Ss]tr(?:ing)?[ \\t]?=[ \\t]?)?" +
    "(?:[brfu@]{0,2}(\\\\{0,3}[\"'`]))?",
  "y",
);
const spoken = /["']?[ \t](?:is|was|ist|lautet|est|es|è|:)[ \t:]{1,3}(["'`])?/y;
const flag = /[ \t]{1,4}(["'])?/y;
const bareValue = /[^\s"'`,;<>()[\]{}|&\\]{4,512}/y;
const quotedMax = 512;

/** The value assigned to the name around `from`–`to`. */
function assignedAt(text: string, from: number, to: number, password: boolean): Span | null {
  let start = from, end = to;
  while (start > from - nameMax && isNamePart(codeAt(text, start - 1))) start--;
  while (end < to + nameMax && isNamePart(codeAt(text, end))) end++;
  const name = text.slice(start, end);
  let quote: string | undefined;
  let at: number;
  assignment.lastIndex = end;
  const assigned = assignment.exec(text);
  if (assigned !== null) {
    quote = assigned[1];
    at = assignment.lastIndex;
    // A call with a variable.
    if (quote === undefined && assigned[0].includes("(")) return null;
  } else {
    const pattern = name.startsWith("--") ? flag : password ? spoken : null;
    if (pattern === null) return null;
    pattern.lastIndex = end;
    const introduced = pattern.exec(text);
    if (introduced === null) return null;
    quote = introduced[1];
    at = pattern.lastIndex;
    // Prose: only a value that no word could be.
    const value = valueAt(text, at, quote);
    if (value === null || !/\d/.test(value) || !/[^\d]/.test(value)) return null;
  }
  const value = valueAt(text, at, quote);
  if (value === null || !isSecretValue(name, value, password, quote !== undefined)) return null;
  return { start: at, end: at + value.length, kind: "SECRET", rule: "assignment" };
}

/** Letters, digits and what joins them in names: `_`, `-`, `.`. */
function isNamePart(code: number): boolean {
  return isWord(code) || code === 45 || code === 46;
}

function valueAt(text: string, at: number, quote: string | undefined): string | null {
  if (quote !== undefined) {
    const end = text.indexOf(quote, at);
    return end === -1 || end - at > quotedMax ? null : text.slice(at, end);
  }
  bareValue.lastIndex = at;
  const value = bareValue.exec(text)?.[0];
  return value === undefined ? null : value.replace(/[.:]+$/, "");
}

/** Names that hold one of the words and no secret. */
const harmlessName =
  /tokens|tokeni[sz]|token_?(?:type|count|limit|usage|id\b)|(?:page|next|prev|continuation|sync|eos|bos|pad|stop|cls|sep|unk|mask|start|end|special|sub)[_-]?token|public|primary|foreign|cache|idempotency|partition|sort_?key|row_?key|key_?(?:id|name|word|board|path|type|length|size|frame|point|stone|note|note)|keys\b|keyed|monkey|turkey|hockey|whiskey|jockey|donkey|hotkey|passwords?_(?:field|hash_algo|policy|min|max|reset|length)|secret_?(?:name|id|arn|version)|author(?!i[sz]ation)|authent|authority|oauth_?(?:url|scope)|basically|auth_?(?:type|url|method|mode|provider)|\.(?:key|token)s?\.(?:name|id)/i;
/** Names whose value is a secret even when it is only hexadecimal. */
const service = new RegExp(`(?<![a-z])(?:${serviceNames.join("|")})`, "i");
const strongName =
  /(?:api|access|secret|private|auth|client|sign(?:ing)?|encrypt(?:ion)?|master|service|account|shared|app|consumer|deploy|licen[cs]e|webhook|session|refresh|id|bearer|csrf|xsrf|bot|user|personal|admin|integration|storage|ssh|rsa|aes|hmac|jwt|db)[-_. ]?(?:key|token|secret)|secret|token$|credential|_auth$/i;
const plainWord = /^[A-Za-z]+(?:[-_ .][A-Za-z]+)*$/;
/** What code puts there instead of a value. */
const reference =
  /^(?:\$[A-Za-z_][\w.]*$|\$[{(]|%[A-Z_]+%$|%[sd(]|\{\{|\{[\w.]+\}|<[\w -]+>|\[|#\{|\*+$|x+$|\.{2,}|process\.|os\.|env[.[]|getenv|config[.[]|settings\.|self\.|this\.|args\.|options\.|request\.|null$|none$|nil$|true$|false$|undefined$|example|changeme|change_me|your|my[_-]|placeholder|dummy|test$|todo|tbd|redacted|dropped|masked|hidden|secret$|password$|string$|str$|int$|optional|required|https?:|file:|s3:|\/|~\/|arn:|projects\/)/i;
const callOrPath = /^[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)+$/;
const uuidOnly = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Whether a value that stands under a name is a secret. */
export function isSecretValue(
  name: string,
  value: string,
  password: boolean,
  quoted: boolean,
): boolean {
  if (value.length < 6 || harmlessName.test(name) || reference.test(value)) return false;
  if (isExample(value)) return false;
  if (password) {
    if (/\s/.test(value) && (!quoted || value.length > 40)) return false;
    // hunter2, but not "required" or "minimum length".
    return /\d/.test(value) ? /\D/.test(value) || quoted : /[^A-Za-z\s._-]/.test(value);
  }
  if (value.length < 12 || /\s/.test(value) || callOrPath.test(value) || plainWord.test(value)) {
    return false;
  }
  if (!/\d/.test(value)) return false;
  const strong = strongName.test(name) || (value.length >= 16 && service.test(name));
  if (uuidOnly.test(value)) {
    return /(?:api|access|secret|auth)[-_. ]?(?:key|token)|secret/i.test(name);
  }
  if (/^[\d.,:+-]+$/.test(value)) return false;
  return strong
    ? looksRandom(value, 2.8)
    : value.length >= 20 && looksRandom(value, 3.5) && !/^[0-9a-f]+$/i.test(value);
}

/** A digit among letters and many different characters: no word, path or sentence. */
function looksRandom(value: string, entropyMin: number): boolean {
  return /\d/.test(value) && /[A-Za-z]/.test(value) && !callOrPath.test(value) &&
    entropy(value.slice(0, 256)) >= entropyMin;
}

/** Whether a text that stands alone under this key is a secret, whole. */
export function isSecretUnder(key: string, value: string): boolean {
  if (value.length > quotedMax || value.length < 6) return false;
  const password = tellsPassword.of(key);
  if (!password && !tellsSecret.of(key)) return false;
  return isSecretValue(key, value, password, true);
}

/** An answer for each key, remembered: the same keys come again and again. */
class Told<T> {
  #known = new Map<string, T>();
  constructor(readonly ask: (key: string) => T) {}

  of(key: string): T {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const answer = this.ask(key);
    // Keys are the producer's choice; there may be any number of them.
    if (this.#known.size >= toldMax) this.#known.clear();
    this.#known.set(key, answer);
    return answer;
  }
}

const toldMax = 4096;
const tellingCharactersMax = 100;

const passwordKey = /passw|pwd|passphrase|passcode|contrase|kennwort/i;
const secretKey = /secret|token|credential|key|auth/i;
const tellsPassword = new Told((key) => passwordKey.test(key));
const tellsSecret = new Told((key) => secretKey.test(key));
const tellsAnything = new Told((key) =>
  key.length <= tellingCharactersMax &&
    (passwordKey.test(key) || secretKey.test(key) || tellsNumber(key))
    ? key
    : ""
);

/** The key when it says something of what stands under it, else "". */
export function telling(key: string): string {
  return tellsAnything.of(key);
}
