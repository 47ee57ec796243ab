// What is found in a text, kind by kind, and what is left alone. Findings are written in the text as
// «KIND:value».
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { entropy } from "../../src/redact/checksums.ts";
import { kinds } from "../../src/redact/kinds.ts";
import { scan } from "../../src/redact/scan.ts";
import { tokenRows } from "../../src/redact/secret_rules.ts";

const all = new Set<string>(kinds);

function marked(text: string, key = "", identifier = false): string {
  let out = "", at = 0;
  for (const { start, end, kind } of scan(text, { key, identifier }, all)) {
    out += `${text.slice(at, start)}«${kind}:${text.slice(start, end)}»`;
    at = end;
  }
  return out + text.slice(at);
}

/** What is found is marked; the text is the same without the marks. */
const cases: Record<string, string[]> = {
  "e-mail addresses": [
    "Mail «EMAIL_ADDRESS:ann@example.com», or <«EMAIL_ADDRESS:O'Brien.x+y@sub.example.co.uk»>.",
    "«EMAIL_ADDRESS:JÜRGEN@UNI-KÖLN.DE» mailto:«EMAIL_ADDRESS:a_b@x.io»?subject=x",
    "icon@2x.png git@github.com:a/b user@localhost a@b.c @handle x@ dbus@1.service left-pad@1.3.0",
    "email=«EMAIL_ADDRESS:ann@example.com»&x=1 «EMAIL_ADDRESS:ann@example.com»...",
  ],
  "passwords in addresses": [
    "postgres://«URL_CREDENTIALS:admin:s3cr3t!»@db.example.com:5432/x",
    "redis://«URL_CREDENTIALS::pw12345»@cache https://example.com/a@b:c http://host:80/@x",
    "https://user:${PASSWORD}@host https://{user}:{password}@host",
  ],
  "payment cards": [
    "«CREDIT_CARD:4111 1111 1111 1111», «CREDIT_CARD:5555555555554444», «CREDIT_CARD:3782-822463-10005»",
    "visa «CREDIT_CARD:4222222222222»",
    "4222222222222 alone may be anything",
    "4111 1111 1111 1112, 1234 5678 9012 3456, 1766000000000000",
    "2024 «CREDIT_CARD:4111 1111 1111 1111» 12",
  ],
  "bank accounts": [
    "«IBAN_CODE:DE89 3704 0044 0532 0130 00», «IBAN_CODE:GB29NWBK60161331926819» and «IBAN_CODE:FR14 2004 1010 0505 0001 3M02 606»",
    "DE89370400440532013001, DE12, GB29NWBK",
    "checking account «US_BANK_NUMBER:123456789012», routing number «ABA_ROUTING_NUMBER:021000021»",
    "order 123456789012",
  ],
  "addresses of machines": [
    "«IP_ADDRESS:192.168.1.17» «IP_ADDRESS:10.0.0.1»:8080 «IP_ADDRESS:203.0.113.0»/24 [«IP_ADDRESS:2606:4700:4700::1111»]:53",
    "version 10.2.3.4, v10.20.30.40, ==1.22.33.44, 1.2.3.4.5, 1.2.3.4, 256.1.1.1, 127.0.0.1, 0.0.0.0, ::1",
    "«IP_ADDRESS:2001:db8::1», «IP_ADDRESS:fe80::1ff:fe23:4567:890a», 12:34:56, std::vector, a::b, 10:20",
    "«MAC_ADDRESS:00:1A:2B:3C:4D:5E» «MAC_ADDRESS:ab-c1-cb-ca-3d-6f» «MAC_ADDRESS:001a.2b3c.4d5e»",
    "2024-05-06-07-08-09 10-11-12-13-14-15",
  ],
  "telephone numbers": [
    "«PHONE_NUMBER:+1 415-555-2671» «PHONE_NUMBER:(415) 555-2671», «PHONE_NUMBER:415.555.2671» «PHONE_NUMBER:415-555-2671»",
    "«PHONE_NUMBER:+44 (0)20 7946 0958» «PHONE_NUMBER:020 7946 0958», «PHONE_NUMBER:07700 900123»",
    "«PHONE_NUMBER:+49 30 901820», «PHONE_NUMBER:030/12345678» «PHONE_NUMBER:0151 23456789», «PHONE_NUMBER:0049 30 123456»",
    "«PHONE_NUMBER:06 12 34 56 78», «PHONE_NUMBER:91 234 56 78», 912 345 678",
    "«PHONE_NUMBER:98765 43210» «PHONE_NUMBER:(11) 91234-5678» «PHONE_NUMBER:347 1234567»",
    "tel: «PHONE_NUMBER:4155552671», order 4155552671, id=4155552671, 4155552671",
    "2024-05-15, 15.05.2024 12:30, 1766000000000, 978-3-16-148410-0, 10.1038/nature12373",
    "550e8400-e29b-41d4-a716-446655440000 1Z999AA10123456784 3.14159265358979 1,234,567",
    "+1 and +2, C++11, UTC+01:00, 1+415 5552671",
  ],
  "numbers of people": [
    "«US_SSN:078-05-1120», 000-12-3456, 666-12-3456, 123-00-4567, «US_ITIN:912-70-1234» 912-34-1234",
    "ssn «US_SSN:078051120», order 078051120",
    "NHS number «UK_NHS:943 476 5919»; «UK_NINO:AB 12 34 56 C», «UK_NINO:AB123456C», GB123456A, BG123456A",
    "«ES_NIF:12345678Z» «ES_NIF:12345678-Z» 12345678A «ES_NIE:X1234567L» «ES_NIE:X-1234567-L» X1234567A",
    "«IT_FISCAL_CODE:RSSMRA85T10A562S» RSSMRA85T10A562T, «PL_PESEL:44051401359» 44051401358",
    "passport no. «US_PASSPORT:123456789», driver's license «US_DRIVER_LICENSE:D1234567», DEA «MEDICAL_LICENSE:AB1234563»",
    "partita IVA «IT_VAT_CODE:12345678903», patente «IT_DRIVER_LICENSE:AB1234567C»",
  ],
  "Bitcoin addresses": [
    "«CRYPTO:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa» 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
    "«CRYPTO:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq» bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp",
    "«CRYPTO:bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr»",
  ],
  secrets: [
    'API_KEY=«SECRET:9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c» password = "«SECRET:hunter2!»"',
    '{"client_secret": "«SECRET:Zk3vQ9xLp2Rt7Yw1Bn5M»", "token": null, "max_tokens": 4096}',
    "my password is «SECRET:hunter2». The password is required. password: must be long",
    "Authorization: Bearer «SECRET:abc123DEF456ghi789JKL»",
    "«SECRET:-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nabc123\n-----END RSA PRIVATE KEY-----» after",
    "token = os.environ['TOKEN'] api_key: ${API_KEY} secret=process.env.SECRET key: value",
    "AKIAIOSFODNN7EXAMPLE is what the manual has, «SECRET:AKIAZ3MSHQTR6PLXYW2B» is not",
    '<add key="ApiSecret" value="«SECRET:FykcwYmtS0WkLqTNqqQkkMh3»" /> primary_key="a1b2c3d4e5f6a7b8c9d0e1f2"',
  ],
};

describe.each(Object.entries(cases))("%s", (_, texts) => {
  test.each(texts)("%s", (expected) => {
    const text = expected.replace(/«[A-Z_]+:(.*?)»/gs, "$1");
    expect(marked(text)).toBe(expected);
  });
});

const underKeys: [key: string, text: string, expected: string][] = [
  ["ssn", "078051120", "«US_SSN:078051120»"],
  ["phone_number", "4155552671", "«PHONE_NUMBER:4155552671»"],
  ["password", "hunter2x", "«SECRET:hunter2x»"],
  ["api_key", "Zk3vQ9xLp2Rt7Yw1Bn5M", "«SECRET:Zk3vQ9xLp2Rt7Yw1Bn5M»"],
  ["next_page_token", "Zk3vQ9xLp2Rt7Yw1Bn5M", "Zk3vQ9xLp2Rt7Yw1Bn5M"],
  ["app_version", "10.20.30.40", "10.20.30.40"],
  ["order_id", "4155552671", "4155552671"],
];
test.each(underKeys)("under the key %s, %s", (key, text, expected) => {
  expect(marked(text, key)).toBe(expected);
});

test("digits alone mean nothing in an id", () => {
  expect(marked("user-4155552671", "", true)).toBe("user-4155552671");
  expect(marked("07700 900123", "", true)).toBe("07700 900123");
  expect(marked("+14155552671", "", true)).toBe("«PHONE_NUMBER:+14155552671»");
});

describe("every form of a token is found wherever it stands", () => {
  const before: Record<string, string> = {
    "azure-client-secret": "a1B",
    "hashicorp-token": "a1B2c3D4e5F6g7",
    "telegram-token": "1234567890",
    "mailchimp-key": "0123456789abcdef0123456789abcdef",
    "maxmind-key": "a1B2c3_" + "d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r",
  };
  test.each(tokenRows.map(([rule, prefix, rest]) => [`${rule} ${prefix}`, rule, prefix, rest]))(
    "%s",
    (_, rule, prefix, rest) => {
      const form = fc.stringMatching(new RegExp(`^${rest}$`));
      fc.assert(
        fc.property(
          form,
          fc.constantFrom([" ", " "], ['"', '"'], ["=", "\n"], ["(", ")"]),
          (tail, around) => {
            const token = (before[rule!] ?? "") + prefix + tail;
            // Too plain for a random token, or an example's.
            fc.pre(entropy(tail) > 2.5 || tail.length < 7);
            fc.pre(!/x{8}|0{12}|\*{3}|EXAMPLE$/i.test(token));
            const text = `see${around[0]}${token}${around[1]}end`;
            // What a prefix such as AccountKey= says may stay; an = before the token may be its own.
            const end = 3 + around[0]!.length + token.trimEnd().length;
            const start = end - tail.trimEnd().replace(/^=+/, "").length;
            const found = scan(text, { key: "", identifier: false }, all);
            const whole = found.some((span) =>
              span.kind === "SECRET" && span.start <= start && span.end >= end
            );
            if (!whole) throw new Error(`${JSON.stringify(text)}: ${JSON.stringify(found)}`);
          },
        ),
        // Another seed looks at other tokens; what it finds is for a person to judge.
        { numRuns: 20, seed: Number(process.env.TOKEN_SEED ?? 20_260_131) },
      );
    },
  );
});
