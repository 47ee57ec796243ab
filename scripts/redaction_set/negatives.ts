// What looks like personal data and is none: ids, hashes, versions, times, amounts, code.
import { alphanumeric, base64, type Dice, hex, lower, upper } from "./values.ts";

const uuid = (dice: Dice) => [8, 4, 4, 4, 12].map((length) => dice.text(length, hex)).join("-");
const date = (dice: Dice) =>
  `20${dice.between(10, 29)}-${String(dice.between(1, 12)).padStart(2, "0")}-${
    String(dice.between(1, 28)).padStart(2, "0")
  }`;
const time = (dice: Dice) =>
  [23, 59, 59].map((most) => String(dice.below(most + 1)).padStart(2, "0")).join(":");

// deno-fmt-ignore
const makers: ((dice: Dice) => string)[] = [
  (dice) => `Your order #${dice.digits(10)} has shipped.`,
  (dice) => `order_id=${dice.digits(12)} status=paid`,
  (dice) => `Tracking: 1Z${dice.text(6, upper + "0123456789")}${dice.digits(10)}`,
  (dice) => `invoice INV-20${dice.digits(2)}-${dice.digits(6)}`,
  (dice) => `"reservation_id": "${dice.text(6, upper + "0123456789")}"`,
  (dice) => `trace ${uuid(dice)}`,
  (dice) => `{"id":"${uuid(dice)}","parent":null}`,
  (dice) => `commit ${dice.text(40, hex)}`,
  (dice) => `sha256:${dice.text(64, hex)}`,
  (dice) => `md5 ${dice.text(32, hex)}  file.tar.gz`,
  (dice) => `fixed in ${dice.text(7, hex)} and ${dice.text(7, hex)}`,
  (dice) => `traceparent: 00-${dice.text(32, hex)}-${dice.text(16, hex)}-01`,
  (dice) => `version ${dice.below(20)}.${dice.below(99)}.${dice.below(99)}.${dice.below(9)}`,
  (dice) => `numpy==${dice.below(9)}.${dice.below(30)}.${dice.below(30)}`,
  (dice) => `Chrome/${dice.between(90, 140)}.0.${dice.between(1000, 7000)}.${dice.below(200)} Safari/537.36`,
  (dice) => `${date(dice)}T${time(dice)}.${dice.digits(6)}Z INFO started`,
  (dice) => `[${date(dice)} ${time(dice)},${dice.digits(3)}] worker-${dice.below(9)}: done in ${dice.below(900)}ms`,
  (dice) => `"ts": ${dice.between(16, 19)}${dice.digits(11)}`,
  (dice) => `"startTimeUnixNano": "17${dice.digits(17)}"`,
  (dice) => `data:image/png;base64,${base64(dice, 120)}==`,
  (dice) => `embedding: [${Array.from({ length: 8 }, () => `${dice.of(["-", ""])}0.${dice.digits(16)}`).join(", ")}]`,
  (dice) => `ISBN 978-${dice.below(9)}-${dice.digits(2)}-${dice.digits(6)}-${dice.below(9)}`,
  (dice) => `ISBN ${dice.digits(10)}`,
  (dice) => `doi:10.${dice.digits(4)}/${dice.text(5, lower)}.${dice.digits(7)}`,
  (dice) => `Total: $${dice.digits(4)}.${dice.digits(2)} for ${dice.digits(2)} items`,
  (dice) => `EUR ${dice.below(900)}.${dice.digits(3)},${dice.digits(2)} am ${dice.between(10, 28)}.${dice.between(10, 12)}.2024`,
  (dice) => `at ${dice.below(90)}.${dice.digits(6)}, -${dice.below(180)}.${dice.digits(6)}`,
  (dice) => `population ${dice.between(1, 90)} ${dice.digits(3)} ${dice.digits(3)}`,
  (dice) => `${dice.between(1, 9)},${dice.digits(3)},${dice.digits(3)} rows in ${dice.below(9)}.${dice.digits(3)} s`,
  (dice) => `model gpt-4o-20${dice.digits(2)}-0${dice.between(1, 9)}-${dice.between(10, 28)}, claude-3-5-sonnet-2024${dice.digits(4)}`,
  (dice) => `max_tokens=${dice.digits(4)} temperature=0.${dice.digits(2)} top_p=0.9 seed=${dice.digits(9)}`,
  (dice) => `"usage":{"prompt_tokens":${dice.digits(4)},"completion_tokens":${dice.digits(3)},"total_tokens":${dice.digits(5)}}`,
  (dice) => `"next_page_token": "${dice.text(40, alphanumeric)}"`,
  (dice) => `"tool_call_id": "call_${dice.text(24, alphanumeric)}"`,
  (dice) => `"id": "chatcmpl-${dice.text(29, alphanumeric)}", "system_fingerprint": "fp_${dice.text(10, hex)}"`,
  () => `"password": {"type": "string", "minLength": 8}, required: ["username", "password"]`,
  () => `password = os.environ["DB_PASSWORD"]`,
  () => `const token = await getToken(user.id); // token expires in 3600s`,
  () => `api_key: \${OPENAI_API_KEY}`,
  () => `The password must have at least 12 characters, 1 digit and 1 symbol.`,
  (dice) => `primary_key=${dice.digits(8)} cache_key="user:${dice.digits(6)}:profile"`,
  (dice) => `flight HAT${dice.digits(3)} seat ${dice.between(1, 40)}${dice.of(["A", "B", "C"])} gate B${dice.digits(2)}`,
  () => `import icon from "./icon@2x.png"; @app.route("/users/<int:id>")`,
  (dice) => `npm install left-pad@1.${dice.below(9)}.${dice.below(9)} @types/node@${dice.between(16, 24)}.0.0`,
  (dice) => `std::vector<int>::iterator at 0x${dice.text(12, hex)}`,
  (dice) => `ratio 1:${dice.digits(2)}:${dice.digits(2)} at ${time(dice)}`,
  (dice) => `color: #${dice.text(6, hex)}; background: #${dice.text(8, hex)}`,
  (dice) => `oid 1.3.6.1.4.1.${dice.digits(5)}.${dice.below(99)}`,
  (dice) => `section ${dice.below(9)}.${dice.below(9)}.${dice.below(9)}.${dice.below(9)} of the manual`,
  (dice) => `card ending in ${dice.digits(4)}, expires 0${dice.between(1, 9)}/${dice.between(25, 32)}`,
  // A card number with a wrong check digit.
  (dice) => `item ${notLuhn(`4${dice.digits(14)}`)}`,
  (dice) => `listening on 127.0.0.1:${dice.between(1024, 65535)} and [::1]:${dice.between(1024, 65535)}`,
  (dice) => `SKU ${dice.text(3, upper)}-${dice.digits(5)}-${dice.text(2, upper)}`,
  (dice) => `pages ${dice.between(100, 199)}-${dice.between(200, 299)}, 20${dice.digits(2)}-20${dice.digits(2)}`,
  (dice) => `job ${dice.digits(8)}-${dice.digits(4)} rank ${dice.digits(2)}/${dice.digits(2)}`,
  (dice) => `x = ${dice.digits(3)} - ${dice.digits(2)} + ${dice.digits(4)} * ${dice.digits(2)}`,
  (dice) => `s3://bucket/${date(dice).replaceAll("-", "/")}/part-${dice.digits(5)}-${uuid(dice)}.parquet`,
  (dice) => `GET /v1/items/${dice.digits(10)}?page=${dice.below(99)} 200 ${dice.digits(5)}`,
  (dice) => `VIN ${dice.text(17, "ABCDEFGHJKLMNPRSTUVWXYZ0123456789")}`,
  (dice) => `tweet ${dice.of(["14", "15", "17"])}${dice.digits(17)}`,
  (dice) => `ZIP ${dice.digits(5)}-${dice.digits(4)}`,
  (dice) => `ids ${Array.from({ length: 12 }, () => dice.between(10000, 99999)).join(" ")}`,
  (dice) => `[${Array.from({ length: 12 }, () => dice.between(100, 99999999)).join(", ")}]`,
  (dice) => Array.from({ length: 6 }, () => `${dice.digits(3)} ${dice.digits(5)} ${dice.digits(2)}`).join("\n"),
  (dice) => `${dice.digits(3)}x${dice.digits(3)} px, ${dice.digits(2)}.${dice.digits(1)} MB, ${dice.digits(2)} %`,
];

function notLuhn(digits: string): string {
  let sum = 0;
  [...digits].reverse().forEach((digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  });
  return digits + String((11 - sum % 10) % 10);
}

export const negativeForms = makers.length;

/** A text without personal data, of the form with this number. */
export function negative(dice: Dice, form: number): string {
  return makers[form % makers.length]!(dice);
}
