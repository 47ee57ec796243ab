// Which addresses a channel may reach. A host name is resolved here, every address is checked, and
// the connection goes to one that was: a name that changes its mind afterwards changes nothing.
import { lookup } from "node:dns/promises";
import { BlockList, isIP, isIPv6 } from "node:net";

/** Reached when the setting allows it: this machine and the network around it. */
const insideRanges: readonly [string, number][] = [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["::1", 128],
  ["fc00::", 7],
];
/** Never reached: metadata of clouds, link-local, this-network, multicast, reserved, documentation. */
const neverRanges: readonly [string, number][] = [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 128],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["64:ff9b:1::", 48],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
  // Metadata of a cloud, within the range that may be allowed.
  ["fd00:ec2::254", 128],
  ["100.100.100.200", 32],
];

const inside = listOf(insideRanges);
const never = listOf(neverRanges);

function listOf(ranges: readonly [string, number][]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of ranges) list.addSubnet(net, prefix, isIPv6(net) ? "ipv6" : "ipv4");
  return list;
}

export type AddressVerdict = "allowed" | "inside" | "never";

/** What kind of address a number is; one that is none is never reached. */
export function verdictOf(address: string): AddressVerdict {
  const family = isIP(address);
  if (family === 0) return "never";
  if (family === 4) return verdictIn(address, "ipv4");
  const embedded = embeddedIPv4(address);
  return embedded === null ? verdictIn(address, "ipv6") : verdictIn(embedded, "ipv4");
}

function verdictIn(address: string, family: "ipv4" | "ipv6"): AddressVerdict {
  if (never.check(address, family)) return "never";
  return inside.check(address, family) ? "inside" : "allowed";
}

/** IPv4 inside IPv6: mapped, compatible, NAT64 and 6to4 all lead to the IPv4 address. */
function embeddedIPv4(address: string): string | null {
  const words = wordsOf(address);
  if (words === null) return null;
  const [a, b, c, d, e, f, g = 0, h = 0] = words;
  const last = `${g >> 8}.${g & 255}.${h >> 8}.${h & 255}`;
  const startsEmpty = a === 0 && b === 0 && c === 0 && d === 0;
  if (startsEmpty && e === 0 && f === 0xffff) return last;
  if (startsEmpty && e === 0 && f === 0 && (g !== 0 || h > 1)) return last;
  if (startsEmpty && e === 0xffff && f === 0) return last;
  if (a === 0x64 && b === 0xff9b && c === 0 && d === 0 && e === 0 && f === 0) return last;
  if (a === 0x2002) return `${b! >> 8}.${b! & 255}.${c! >> 8}.${c! & 255}`;
  return null;
}

/** The eight words of an IPv6 address; null when it is none. */
function wordsOf(address: string): number[] | null {
  const bare = address.split("%", 1)[0]!;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(bare);
  const hex = (high: string | undefined, low: string | undefined) =>
    (Number(high) << 8 | Number(low)).toString(16);
  const text = dotted === null
    ? bare
    : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`;
  const [head = "", tail] = text.split("::");
  const parts = (side: string) => side === "" ? [] : side.split(":");
  const front = parts(head);
  const back = tail === undefined ? [] : parts(tail);
  const gap = tail === undefined ? 0 : 8 - front.length - back.length;
  if (gap < 0) return null;
  const words = [...front, ...Array<string>(gap).fill("0"), ...back]
    .map((word) => Number.parseInt(word, 16));
  return words.length === 8 && words.every((word) => word >= 0 && word <= 0xffff) ? words : null;
}

export type Resolve = (host: string) => Promise<string[]>;

const resolveMsMax = 5000;

/** By the system's own resolver. */
export const systemResolve: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

export type Checked = { address: string } | { problem: "unreachable" | "refused"; message: string };

/** An address of the host that may be reached; refused when any of them may not. */
export async function checkedAddress(
  host: string,
  options: { allowInside: boolean; resolve: Resolve },
): Promise<Checked> {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  let addresses: string[];
  try {
    addresses = isIP(bare) !== 0 ? [bare] : await within(resolveMsMax, options.resolve(bare));
  } catch {
    return { problem: "unreachable", message: `The name ${bare} cannot be resolved.` };
  }
  const [first] = addresses;
  if (first === undefined) {
    return { problem: "unreachable", message: `The name ${bare} has no address.` };
  }
  for (const address of addresses) {
    const verdict = verdictOf(address);
    if (verdict === "allowed" || (verdict === "inside" && options.allowInside)) continue;
    const where = address === bare ? bare : `${bare} is ${address}, which`;
    const hint = verdict === "inside" ? " WATCHLLM_ALLOW_PRIVATE_WEBHOOKS=true allows it." : "";
    return {
      problem: "refused",
      message: verdict === "inside"
        ? `${where} is an address of this machine or a private network.${hint}`
        : `${where} is an address that no notification is sent to.`,
    };
  }
  return { address: first };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("timeout")), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
