// Values of each kind as people and programs write them, made at random with their check digits. Some
// forms are deliberately not those that the detectors were written for.
import { createHash } from "node:crypto";

/** A seeded source of choices: the same seed gives the same set. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below `n`. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * n);
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  text(length: number, alphabet: string): string {
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join("");
  }

  digits(length: number): string {
    return this.text(length, "0123456789");
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** Each # of a form becomes a digit, each N one from 2 to 9. */
  form(form: string): string {
    return form.replace(
      /[#N]/g,
      (sign) => sign === "#" ? this.digits(1) : this.text(1, "23456789"),
    );
  }
}

export const lower = "abcdefghijklmnopqrstuvwxyz";
export const upper = lower.toUpperCase();
export const alphanumeric = `${upper}${lower}0123456789`;
export const hex = "0123456789abcdef";

const names = [
  "ann",
  "jürgen",
  "sofia.rossi",
  "o'brien",
  "li_wei",
  "m.garcia",
  "priya-k",
  "tom",
  "zoë",
  "jean-luc",
  "user",
  "info",
  "support+tag",
  "a1b2",
]; // deno-fmt-ignore-line
const hosts = ["example.com", "mail.example.org", "firma.de", "empresa.com.br", "uni-köln.de",
  "example.co.uk", "posteo.net", "school.edu", "shop.io", "sub.domain.example.museum"]; // deno-fmt-ignore-line

function email(dice: Dice): string {
  const local = dice.of([
    () => dice.of(names),
    () => dice.of(names) + dice.digits(2),
    () => dice.text(dice.between(3, 12), lower),
    () => `${dice.text(6, lower)}.${dice.text(8, lower)}`,
  ])();
  const address = `${local}@${dice.of(hosts)}`;
  return dice.below(10) === 0 ? address.toUpperCase() : address;
}

/** A digit at the end that makes the Luhn sum of all a multiple of ten. */
function withLuhn(digits: string): string {
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return digits + String((10 - sum % 10) % 10);
}

function grouped(text: string, sizes: number[], separator: string): string {
  const parts: string[] = [];
  let at = 0;
  for (const size of sizes) parts.push(text.slice(at, at += size));
  if (at < text.length) parts.push(text.slice(at));
  return parts.join(separator);
}

function card(dice: Dice): string {
  const [prefix, length] = dice.of(
    [
      ["4", 16],
      ["51", 16],
      ["2223", 16],
      ["34", 15],
      ["37", 15],
      ["6011", 16],
      ["3530", 16],
      ["62", 16],
      ["36", 14],
      ["4", 16],
      ["55", 16],
      ["675940", 16],
    ] as const,
  ); // deno-fmt-ignore-line
  const digits = withLuhn(prefix + dice.digits(length - prefix.length - 1));
  const sizes = length === 15 ? [4, 6, 5] : length === 14 ? [4, 6, 4] : [4, 4, 4, 4];
  // Fourteen digits in one piece are written by nobody without a word for them.
  return dice.below(3) === 0 && length !== 14
    ? digits
    : grouped(digits, sizes, dice.of([" ", "-", " "]));
}

// deno-fmt-ignore
const phoneForms = [
  "+1 N#2-N#4-####", "+1NN2NN4####", "(N12) N45-####", "N13-N46-####", "N14.N45.####", "1-N23-N56-####",
  "+44 20 #### ####", "+44 (0)161 ### ####", "020 7### ####", "077## ######", "079########", "0161 496 ####",
  "+49 30 ########", "+49 (0)151 ########", "030 ########", "0151 ########", "089/#######", "(0221) ######", "0049 30 ######",
  "+33 6 ## ## ## ##", "06 ## ## ## ##", "01.##.##.##.##", "+33 (0)1 ## ## ## ##",
  "+34 6## ### ###", "91 ### ## ##", "6## ## ## ##",
  "+39 347 #######", "347 #######", "06 ########", "+39 02 #### ####",
  "+91 98### #####", "98### #####", "+91-9########9",
  "+55 11 9####-####", "(11) 9####-####", "(21) 3###-####",
  "+48 ### ### ###", "+41 79 ### ## ##", "+81 90-####-####", "+86 138 #### ####", "+972 52 ### ####", "+61 4## ### ###",
];

function phone(dice: Dice): string {
  const made = dice.form(dice.of(phoneForms));
  // No area or exchange of North America ends in 11.
  return made.replace(/11(?=[-.) ]|$)/g, "12");
}

const ibanForms: Record<string, string> = {
  DE: "##################",
  FR: "###########AAAAA######A##".slice(0, 23),
  GB: "AAAA##############",
  ES: "####################",
  IT: "A######################",
  NL: "AAAA##########",
  CH: "#################",
  PL: "########################",
  AT: "################",
  BE: "############",
}; // deno-fmt-ignore-line

function iban(dice: Dice): string {
  const country = dice.of(Object.keys(ibanForms));
  const account = ibanForms[country]!.replace(/[#A]/g, (sign) => sign === "#" ? dice.digits(1) : dice.text(1, upper));
  const numeric = [...account + country + "00"].map((sign) => parseInt(sign, 36)).join("");
  const check = String(98n - BigInt(numeric) % 97n).padStart(2, "0");
  const whole = country + check + account;
  return dice.below(2) === 0 ? whole : whole.replace(/.{4}(?=.)/g, "$& ");
}

function ipv4(dice: Dice): string {
  return [
    dice.of([10, 192, 172, 81, 203, 54, 8]),
    dice.below(256),
    dice.below(256),
    dice.between(10, 254),
  ]
    .join(".");
}

function ipv6(dice: Dice): string {
  const group = () => dice.text(dice.between(1, 4), hex).replace(/^0+(?=.)/, "");
  return dice.of([
    () => `2001:db8:${group()}:${group()}::${group()}`,
    () => `fe80::${group()}:${group()}:${group()}:${group()}`,
    () => `2a02:${Array.from({ length: 7 }, () => dice.text(4, hex)).join(":")}`,
    () => `2606:4700:${group()}::${group()}`,
  ])();
}

function ssn(dice: Dice): string {
  return `${dice.between(100, 665)}-${dice.between(10, 99)}-${dice.between(1000, 9999)}`;
}

function itin(dice: Dice): string {
  return `9${dice.digits(2)}-${dice.of([50, 65, 70, 88, 90, 94, 99])}-${dice.digits(4)}`;
}

function nhs(dice: Dice): string {
  while (true) {
    const nine = dice.of(["9", "4", "6"]) + dice.digits(8);
    const check = 11 -
      [...nine].reduce((sum, digit, at) => sum + Number(digit) * (10 - at), 0) % 11;
    if (check === 10) continue;
    return grouped(nine + String(check === 11 ? 0 : check), [3, 3, 4], " ");
  }
}

function nino(dice: Dice): string {
  const letters = dice.of(["AB", "CE", "JK", "PW", "SR", "TX", "WM"]);
  const digits = dice.digits(6), last = dice.of(["A", "B", "C", "D"]);
  return dice.of([
    letters + digits + last,
    `${letters} ${grouped(digits, [2, 2, 2], " ")} ${last}`,
  ]);
}

const spanishLetters = "TRWAGMYFPDXBNJZSQVHLCKE";

function nif(dice: Dice): string {
  const digits = dice.of(["1", "2", "4", "5", "7"]) + dice.digits(7);
  return digits + dice.of(["", "", "-"]) + spanishLetters[Number(digits) % 23];
}

function nie(dice: Dice): string {
  const first = dice.below(3), digits = dice.digits(7);
  return "XYZ"[first] + dice.of(["", "", "-"]) + digits + dice.of(["", "-"]) +
    spanishLetters[Number(`${first}${digits}`) % 23];
}

function fiscalCode(dice: Dice): string {
  const consonants = "BCDFGLMNPRSTVZ";
  const code = dice.text(6, consonants) + dice.digits(2) + dice.of([..."ABCDEHLMPRST"]) +
    String(dice.between(1, 31)).padStart(2, "0") + dice.of([..."ABCDEFGHIL"]) + dice.digits(3);
  // The published table: a character at an odd place, counted from one, has an odd value.
  const odd: Record<string, number> = Object.fromEntries(
    [..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((sign) => {
      const at = sign < "A" ? Number(sign) : sign.charCodeAt(0) - 65;
      return [
        sign,
        [
          1,
          0,
          5,
          7,
          9,
          13,
          15,
          17,
          19,
          21,
          2,
          4,
          18,
          20,
          11,
          3,
          6,
          8,
          12,
          14,
          16,
          10,
          22,
          25,
          24,
          23,
        ][at]!,
      ];
    }),
  );
  const sum = [...code].reduce(
    (total, sign, at) =>
      total + (at % 2 === 0 ? odd[sign]! : sign < "A" ? Number(sign) : sign.charCodeAt(0) - 65),
    0,
  );
  return code + upper[sum % 26];
}

function pesel(dice: Dice): string {
  const ten = dice.digits(2) + String(dice.between(1, 12)).padStart(2, "0") +
    String(dice.between(1, 28)).padStart(2, "0") + dice.digits(4);
  const sum = [...ten].reduce(
    (total, digit, at) => total + Number(digit) * [1, 3, 7, 9][at % 4]!,
    0,
  );
  return ten + String((10 - sum % 10) % 10);
}

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

function bitcoin(dice: Dice): string {
  const body = Buffer.from(dice.of(["00", "05"]) + dice.text(40, hex), "hex");
  const twice = createHash("sha256").update(createHash("sha256").update(body).digest()).digest();
  const bytes = Buffer.concat([body, twice.subarray(0, 4)]);
  let number = BigInt(`0x${bytes.toString("hex")}`), text = "";
  for (; number > 0n; number /= 58n) text = base58[Number(number % 58n)] + text;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros) + text;
}

function mac(dice: Dice): string {
  const pairs = Array.from({ length: 6 }, () => dice.text(2, hex));
  pairs[1] = dice.text(1, "abcdef") + dice.text(1, hex);
  return dice.of([pairs.join(":"), pairs.join(":").toUpperCase(), pairs.join("-")]);
}

export function base64(dice: Dice, length: number): string {
  return dice.text(length, `${alphanumeric}+/`);
}

function jwt(dice: Dice): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256", typ: "JWT" })}.${
    part({ sub: dice.digits(10), name: dice.of(names) })
  }.${dice.text(43, `${alphanumeric}_-`)}`;
}

function privateKey(dice: Dice): string {
  const kind = dice.of(["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"]);
  const lines = Array.from({ length: dice.between(3, 12) }, () => base64(dice, 64)).join("\n");
  return `-----BEGIN ${kind}-----\n${lines}\n-----END ${kind}-----`;
}

/** Tokens that are known wherever they stand. */
const tokenForms: ((dice: Dice) => string)[] = [
  (dice) => `sk-ant-api03-${dice.text(93, `${alphanumeric}_-`)}AA`,
  (dice) => `sk-proj-${dice.text(48, `${alphanumeric}_-`)}`,
  (dice) => `sk-${dice.text(48, alphanumeric)}`,
  (dice) => `sk-or-v1-${dice.text(64, hex)}`,
  (dice) => `AKIA${dice.text(16, `${upper}234567`)}`,
  (dice) => `AIza${dice.text(35, `${alphanumeric}_-`)}`,
  (dice) => `ghp_${dice.text(36, alphanumeric)}`,
  (dice) => `github_pat_${dice.text(22, alphanumeric)}_${dice.text(59, alphanumeric)}`,
  (dice) => `glpat-${dice.text(20, `${alphanumeric}_-`)}`,
  (dice) => `xoxb-${dice.digits(12)}-${dice.digits(12)}-${dice.text(24, alphanumeric)}`,
  (dice) => `hf_${dice.text(34, lower + upper)}`,
  (dice) => `gsk_${dice.text(52, alphanumeric)}`,
  (dice) => `npm_${dice.text(36, alphanumeric)}`,
  (dice) => `SG.${dice.text(22, alphanumeric)}.${dice.text(43, alphanumeric)}`,
  (dice) => `shpat_${dice.text(32, hex)}`,
  (dice) => `dop_v1_${dice.text(64, hex)}`,
  (dice) => `dapi${dice.text(32, hex)}`,
  (dice) => `lin_api_${dice.text(40, alphanumeric)}`,
  (dice) => `${dice.digits(10)}:AA${dice.text(33, `${alphanumeric}_-`)}`,
  (dice) => `pcsk_${dice.text(60, `${alphanumeric}_`)}`,
  (dice) => `lsv2_pt_${dice.text(32, hex)}_${dice.text(10, hex)}`,
  jwt,
  privateKey,
];

/** Values that what is around them makes secrets. */
const assignments: ((dice: Dice) => [before: string, value: string, after: string])[] = [
  (dice) => [
    `https://`,
    `hooks.slack.com/services/T${dice.text(8, upper)}/B${dice.text(8, upper)}/${
      dice.text(24, alphanumeric)
    }`,
    ` `,
  ],
  (dice) => [`api_key = "`, dice.text(32, hex), `"`],
  (dice) => [`"client_secret": "`, dice.text(24, alphanumeric) + "7k", `"`],
  (dice) => [`export DB_PASSWORD='`, dice.text(8, lower) + "#" + dice.digits(3), `'`],
  (dice) => [`password: `, dice.text(6, lower) + dice.digits(2) + "!", ``],
  (dice) => [`AWS_SECRET_ACCESS_KEY=`, base64(dice, 38) + "9b", ``],
  (dice) => [`Authorization: Bearer `, dice.text(38, alphanumeric) + "4x", ``],
  (
    dice,
  ) => [`curl -H "X-Auth-Token: `, dice.text(38, alphanumeric) + "a1", `" https://api.example.com`],
  (dice) => [`my password is `, dice.text(7, lower) + dice.digits(3), `, please reset it`],
  (dice) => [`{"refreshToken":"`, dice.text(40, alphanumeric) + "q3", `"}`],
  (dice) => [`SECRET_KEY: "`, dice.text(50, alphanumeric + "!$^&*()-_=+"), `"`],
  (dice) => [`--api-key `, dice.text(30, alphanumeric) + "z9", ` --verbose`],
  (dice) => [`<add key="ApiSecret" value="`, dice.text(32, alphanumeric), `" />`],
];

/** A value with what must stand around it for it to be one. */
export interface Made {
  before?: string;
  value: string;
  after?: string;
}

const plain = (make: (dice: Dice) => string) => (dice: Dice): Made => ({ value: make(dice) });
const told = (words: readonly string[], make: (dice: Dice) => string) => (dice: Dice): Made => ({
  before: dice.of(words),
  value: make(dice),
});

/** How values of each kind are made. */
export const makers: Record<string, (dice: Dice) => Made> = {
  EMAIL_ADDRESS: plain(email),
  PHONE_NUMBER: (dice) =>
    dice.below(6) === 0
      ? {
        before: dice.of(["phone: ", "Tel. ", "my cell is ", "WhatsApp "]),
        value: dice.form("N1NN1N####"),
      }
      : { value: phone(dice) },
  CREDIT_CARD: plain(card),
  IBAN_CODE: plain(iban),
  IP_ADDRESS: plain((dice) => dice.below(3) === 0 ? ipv6(dice) : ipv4(dice)),
  US_SSN: (dice) =>
    dice.below(4) === 0
      ? { before: "SSN ", value: ssn(dice).replaceAll("-", "") }
      : { value: ssn(dice) },
  US_ITIN: plain(itin),
  US_PASSPORT: told(
    ["passport number ", "Passport no. "],
    (dice) => dice.of([dice.digits(9), `A${dice.digits(8)}`]),
  ),
  US_BANK_NUMBER: told(
    ["bank account ", "checking account number: "],
    (dice) => `${dice.digits(11)}7`,
  ),
  US_DRIVER_LICENSE: told(
    ["driver's license ", "Driver license: "],
    (dice) => `${dice.text(1, upper)}${dice.digits(7)}`,
  ),
  UK_NHS: told(["NHS number ", "NHS no. "], nhs),
  UK_NINO: plain(nino),
  ES_NIF: plain(nif),
  ES_NIE: plain(nie),
  IT_FISCAL_CODE: plain(fiscalCode),
  PL_PESEL: told(["PESEL ", "pesel: ", ""], pesel),
  CRYPTO: plain(bitcoin),
  MAC_ADDRESS: plain(mac),
  URL_CREDENTIALS: (dice) => ({
    before: dice.of(["postgres://", "https://", "redis://", "mongodb+srv://", "amqp://"]),
    value: `${dice.text(6, lower)}:${dice.text(10, alphanumeric)}`,
    after: `@${dice.of(["db.internal", "localhost:5432", "cluster0.example.net"])}/main`,
  }),
  SECRET: (dice) => {
    if (dice.below(2) === 0) return { value: dice.of(tokenForms)(dice) };
    const [before, value, after] = dice.of(assignments)(dice);
    return { before, value, after };
  },
};
