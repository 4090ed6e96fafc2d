/**
 * The requirements of RFC 6887 and RFC 6886 for servers and clients, by their stable ids, and which tests show each: a test shows a
 * requirement when its name begins with the id, or has it among the ids there. `node test/requirements.ts` writes the
 * list to test/requirements.md; a test holds the file to it.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { loadKit } from "../adapters/conformance/load.ts"
import { translation } from "./translation.ts"

export interface Requirement {
  readonly id: string
  /** MUST and so on, as the RFC has it; `in effect` where no keyword is used. */
  readonly level: string
  readonly clause: string
  readonly text: string
  /** What of it is still to come: empty for what the code does. */
  readonly planned?: string
}

const requirement = (id: string, level: string, clause: string, text: string, planned?: string): Requirement =>
  planned === undefined ? { id, level, clause, text } : { id, level, clause, text, planned }

export const REQUIREMENTS: readonly Requirement[] = [
  requirement("B-01", "MUST", "6887 5", "look at all first 96 bits for IPv4-mapped; all-zeros forms of each family"),
  requirement("B-10", "MUST NOT", "6887 13", "use THIRD_PARTY unless the network is fully trusted"),
  requirement("S-01", "MUST", "6887 8", "over UDP; a request is answered unless silently dropped"),
  requirement("S-02", "MUST", "6887 8.2", "ignore requests from other interfaces than the client's own"),
  requirement("S-03", "SHOULD", "6887 8.2", "the order of the checks, and what each answers"),
  requirement("S-04", "MUST", "6887 7", "reserved fields: zero when sent, ignored when received"),
  requirement("S-05", "MUST", "6887 7.2", "responses: version 2, R set, opcode copied, reserved octet 0"),
  requirement("S-06", "MUST", "6887 7.2", "the 96 reserved bits: 0, or the client's bits of an unparsed request"),
  requirement("S-07", "in effect", "6887 7.2", "Epoch Time in every response"),
  requirement("S-08", "MUST", "6887 7.3", "an error is a copy of the request, all options with it"),
  requirement("S-09", "in effect", "6887 8.2", "a success has the processed options only"),
  requirement("S-10", "MUST", "6887 7.3", "an error changes nothing"),
  requirement("S-11", "in effect", "6887 8.2", "unknown opcode: UNSUPP_OPCODE, payload copied"),
  requirement("S-12", "SHOULD", "6887 7.3", "a response over 1100 octets is MALFORMED_REQUEST"),
  requirement("S-20", "in effect", "6887 9", "UNSUPP_VERSION names the closest version"),
  requirement("S-21", "in effect", "6887 9", "a PCP-only server answers version 0 the same way"),
  requirement("S-22", "in effect", "6886 1.1", "first octet 0 is NAT-PMP, version 1 is nobody's"),
  requirement("S-30", "MUST", "6887 7.3", "options in the order received"),
  requirement("S-31", "MUST", "6887 7.3", "unparsable option structure: MALFORMED_OPTION"),
  requirement(
    "S-32",
    "MUST",
    "6887 7.3",
    "mandatory options: MALFORMED_OPTION or UNSUPP_OPTION; optional ones may be ignored",
  ),
  requirement("S-33", "MUST", "6887 7.3", "a repeated single option: MALFORMED_OPTION"),
  requirement("S-34", "in effect", "6887 11.3", "a mandatory option without sense: MALFORMED_OPTION"),
  requirement("S-35", "MUST NOT", "6887 13", "options only with the opcodes that permit them"),
  requirement("S-40", "SHOULD", "6887 11", "a switch to disable MAP"),
  requirement("S-41", "MUST", "6887 11", "translate ICMP that belongs to a mapping"),
  requirement("S-42", "in effect", "6887 11.3", "copy protocol, internal port, nonce, THIRD_PARTY"),
  requirement("S-43", "MUST", "6887 11.3", "protocol and port zero: UNSUPP_PROTOCOL, MALFORMED_REQUEST"),
  requirement("S-44", "MUST", "6887 11.3", "another nonce: NOT_AUTHORIZED with the remaining lifetime"),
  requirement("S-45", "in effect", "6887 11.3", "a static mapping answers any nonce"),
  requirement("S-46", "in effect", "6887 11.3", "a stateless device answers by its algorithm"),
  requirement("S-47", "MUST", "6887 11.3", "an existing mapping: PREFER_FAILURE, its own end, replication"),
  requirement("S-48", "SHOULD", "6887 11.3", "honour the suggestion where it can be had"),
  requirement("S-49", "MUST NOT", "6887 11.3", "map external UDP ports 5350 and 5351"),
  requirement(
    "S-50",
    "MUST",
    "6887 11.3",
    "another end for a suggestion that can't be had, or CANNOT_PROVIDE_EXTERNAL",
  ),
  requirement("S-51", "MUST NOT", "6887 11.3", "map a protocol that was not asked for"),
  requirement("S-52", "RECOMMENDED", "6887 11.3", "limits per host: USER_EX_QUOTA"),
  requirement("S-53", "SHOULD", "6887 10", "one external address a host; a suggested one even so"),
  requirement("S-54", "MUST", "6887 16.3.3", "SCTP without rewriting ports"),
  requirement("S-55", "in effect", "6887 16.1, 16.2", "closing the outbound mapping leaves the inbound one"),
  requirement("S-56", "in effect", "6887 11", "MAP mappings serve both directions with one external end"),
  requirement("S-60", "SHOULD", "6887 12", "a switch to disable PEER"),
  requirement("S-61", "MUST NOT", "6887 12.1", "PEER with protocol or a port zero"),
  requirement("S-62", "in effect", "6887 12.3", "copy protocol, internal port, remote peer, nonce"),
  requirement("S-63", "SHOULD", "6887 12.3", "an impossible remote peer: MALFORMED_REQUEST"),
  requirement("S-64", "MUST", "6887 12.3", "create by the suggestion, or CANNOT_PROVIDE_EXTERNAL and no state"),
  requirement("S-65", "in effect", "6887 12.3", "an existing mapping: its own end, nonce remembered"),
  requirement("S-66", "MUST", "6887 12.3", "another nonce: NOT_AUTHORIZED with the remaining lifetime"),
  requirement("S-67", "MUST", "6887 13.2", "PREFER_FAILURE with PEER: MALFORMED_REQUEST"),
  requirement("S-68", "RECOMMENDED", "6887 12.3", "PEER lifetimes longer than implicit ones"),
  requirement("S-69", "in effect", "6887 12.1", "PEER neither shortens nor deletes"),
  requirement("S-70", "in effect", "6887 12.3", "an unrenewed PEER mapping is implicit again"),
  requirement("S-80", "MUST", "6887 14", "ANNOUNCE or Mapping Update where state can be lost"),
  requirement("S-81", "in effect", "6887 14.1.2", "a solicited ANNOUNCE: SUCCESS, lifetime 0, no payload"),
  requirement("S-82", "MUST", "6887 14.1.3", "unsolicited ANNOUNCE from the server's address and port"),
  requirement("S-83", "MUST", "6887 14.1.3", "ANNOUNCE after a possible loss of state"),
  requirement("S-84", "MAY", "6887 14.1.3", "up to 10 transmissions, intervals doubling"),
  requirement("S-90", "in effect", "6887 14.2", "updates like the previous response"),
  requirement("S-91", "MUST", "6887 14.2", "updates echo THIRD_PARTY and FILTER"),
  requirement("S-92", "SHOULD", "6887 14.2", "updates go out 3 times"),
  requirement("S-100", "MUST", "6887 13.1", "THIRD_PARTY with the sender's address: MALFORMED_REQUEST"),
  requirement("S-101", "MUST", "6887 13.1", "THIRD_PARTY prohibited: UNSUPP_OPTION"),
  requirement("S-102", "RECOMMENDED", "6887 13.1", "THIRD_PARTY off by default"),
  requirement("S-103", "in effect", "6887 13.1", "the internal address is the option's; deletion too"),
  requirement("S-110", "MUST", "6887 13.2", "PREFER_FAILURE without a suggested port: MALFORMED_OPTION"),
  requirement("S-120", "MUST", "6887 13.3", "at least one filter a mapping; more add up, in order"),
  requirement("S-121", "in effect", "6887 13.3", "prefix length 0 removes all filters"),
  requirement("S-122", "in effect", "6887 13.3", "prefix lengths by family, else MALFORMED_OPTION"),
  requirement("S-123", "in effect", "6887 13.3", "FILTER in a deletion: MALFORMED_OPTION"),
  requirement("S-124", "in effect", "6887 13.3", "too many filters: EXCESSIVE_REMOTE_PEERS, state unchanged"),
  requirement("S-125", "MAY", "6887 13.3", "ICMP errors for filtered packets"),
  requirement("S-130", "SHOULD", "6887 15", "lifetime limits, configurable: 120 s, 24 h"),
  requirement("S-131", "MUST", "6887 15", "no lifetime below the remaining idle time"),
  requirement("S-132", "in effect", "6887 15.1", "deletion by internal end"),
  requirement("S-133", "MUST", "6887 15.1", "a deletion's suggestion is ignored and copied back"),
  requirement(
    "S-134",
    "MUST",
    "6887 15.1",
    "deleting nothing succeeds; deleting an outbound mapping is NOT_AUTHORIZED",
  ),
  requirement("S-135", "MUST NOT", "6887 15.1", "let TCP RST or FIN shorten an inbound mapping"),
  requirement("S-136", "SHOULD NOT", "6887 15", "reuse a freed external port at once"),
  requirement("S-137", "RECOMMENDED", "6887 15", "discard mappings with the DHCP lease"),
  requirement("S-140", "MUST", "6887 8.5", "Epoch Time: one a second; back to 0 when state is lost"),
  requirement("N-01", "MUST", "6886 3.5", "a version error of 8 octets, no response bit"),
  requirement(
    "N-02",
    "MUST",
    "6886 3.5",
    "opcodes from 128 ignored; others unknown returned with result 5; valid errors",
  ),
  requirement("N-03", "MUST", "6886 3.3", "internal address is the source; companion port reserved"),
  requirement(
    "N-04",
    "in effect",
    "6886 3.3",
    "an existing mapping's port; another for one that is taken; lifetime not over the asked",
  ),
  requirement("N-05", "MUST", "6886 3.4", "expiry, deletion, deletion of all"),
  requirement("N-06", "MUST", "6886 3.2.1", "announce address changes and reboots"),
  requirement("N-07", "SHOULD", "6886 5", "an administrator's switch"),
  requirement("C-01", "MUST", "6887 8.1", "the client's own address in each request, the source as the server sees it"),
  requirement(
    "C-02",
    "in effect",
    "6887 8.1, 7488 3, 4",
    "which servers: all that are configured, each at its addresses in order",
  ),
  requirement(
    "C-03",
    "MUST",
    "6887 8.1.1, 11.2, 7488 3",
    "random nonces: another for each server, the same for its addresses and retransmissions",
  ),
  requirement(
    "C-04",
    "MUST",
    "6887 11.1, 11.2, 12.2",
    "no preference: port 0 and the family's all-zeros; port 0 for what has no ports",
  ),
  requirement("C-05", "MUST", "6887 10.2, 11, 11.2", "a suggestion may never be granted: what is assigned counts"),
  requirement(
    "C-06",
    "SHOULD",
    "6887 8.4, 11.5",
    "global IPv6 sources; refreshes from the same address; a new mapping for a new one",
  ),
  requirement(
    "C-07",
    "RECOMMENDED",
    "6887 16.3.3, 16.4",
    "a connected socket tells the source address; SCTP is asked for as TCP",
  ),
  requirement("C-20", "in effect", "6887 9", "the highest version first; what UNSUPP_VERSION says from then on"),
  requirement(
    "C-21",
    "SHOULD",
    "6887 9, A; 6886 1.1",
    "version 0 is a NAT-PMP server: fall back at once, PCP first again later",
  ),
  requirement("C-22", "SHOULD", "6887 9", "an unknown version: lower ones, then again in 30 min or the lifetime"),
  requirement("C-30", "MUST", "6887 7.3", "ignore unknown options in responses"),
  requirement("C-31", "SHOULD", "6887 7.3", "read the options that were asked for"),
  requirement(
    "C-50",
    "in effect",
    "6887 8.3, 11.4, 12.4",
    "what is an answer: source, length, R bit, version, opcode, and each field that is matched",
  ),
  requirement("C-51", "SHOULD", "6887 8.3", "several responses, at any time; ignore those to what was never asked"),
  requirement(
    "C-52",
    "SHOULD NOT",
    "6887 8.3, 11.4",
    "the same request within an error's lifetime; after NO_RESOURCES new ones, or any",
  ),
  requirement("C-53", "in effect", "6887 8.3", "ADDRESS_MISMATCH: an error like another"),
  requirement("C-54", "MUST", "6887 14.1.3", "listen for announcements, multicast and unicast"),
  requirement(
    "C-55",
    "MUST",
    "6887 14.1.2, 14.1.3",
    "an announcement with another epoch: source, 0 to 5 s, then all mappings; ANNOUNCE has lifetime 0",
  ),
  requirement("C-100", "MUST NOT", "6887 13.1", "THIRD_PARTY with the client's own address"),
  requirement("C-110", "SHOULD NOT", "6887 13.2", "PREFER_FAILURE but where the caller wants it"),
  requirement("C-111", "MUST", "6887 13.2", "with PREFER_FAILURE, a success has the suggested end"),
  requirement("C-130", "MUST", "6887 11.2.1, 15", "renew by the Lifetime field, in its slots, never under 4 s apart"),
  requirement("C-131", "SHOULD", "6887 15", "an absurd lifetime counts as 24 hours"),
  requirement("C-132", "MUST", "6887 15.1", "a deletion suggests nothing"),
  requirement("C-140", "in effect", "6887 8.5", "is an Epoch Time valid: two-sided, in integers, remembered always"),
  requirement("C-141", "MUST", "6887 8.3, 8.5", "the client's clock never goes back; the check comes after the match"),
  requirement(
    "N-20",
    "SHOULD NOT",
    "6886 3.1",
    "requests at once; nine tries from 250 ms on; ICMP ends them; deletions may have fewer",
  ),
  requirement(
    "N-21",
    "MUST",
    "6886 3.2, 3.3, 3.5",
    "check the source; renew at half the lifetime with the assigned port; unknown results are fatal",
  ),
  requirement(
    "N-22",
    "MUST",
    "6886 3.6, 3.7",
    "the epoch may be 1/8 slow and 2 s under; else renew all after 0 to 5 s, serially",
  ),
  requirement("N-23", "SHOULD", "6886 3", "NAT-PMP only from a private address"),
]

/** What the RFCs leave open or say in two ways, and what is done here. */
export interface Ambiguity {
  readonly number: number
  readonly clause: string
  readonly open: string
  readonly decision: string
  /** Where nothing in the code decides it: why. */
  readonly elsewhere?: string
}

const ambiguity = (number: number, clause: string, open: string, decision: string, elsewhere?: string): Ambiguity => ({
  number,
  clause,
  open,
  decision,
  ...(elsewhere === undefined ? {} : { elsewhere }),
})

export const AMBIGUITIES: readonly Ambiguity[] = [
  ambiguity(
    1,
    "6886 3.5, 6887 8.3",
    "NAT-PMP's version error has no response bit; 8.3 drops what has none",
    "it is read as a response",
  ),
  ambiguity(
    2,
    "6887 8.2, 9",
    "an error to a request under 24 octets has no room for its own fields",
    "it is padded to the header",
  ),
  ambiguity(3, "6887 8.2, 14.1.1", "an ANNOUNCE under 24 octets is dropped, or an error", "dropped"),
  ambiguity(4, "6887 11.1, 11.3, 15.1", "protocol 0 with a port: ignored, or MALFORMED_REQUEST", "MALFORMED_REQUEST"),
  ambiguity(
    5,
    "6887 11.3, 12.1, 13",
    "options of another opcode: no code is given",
    "MALFORMED_OPTION; PREFER_FAILURE with PEER MALFORMED_REQUEST",
  ),
  ambiguity(
    6,
    "6887 12.1, 15",
    "PEER with lifetime 0 cannot delete, or sets it to 0 when idle",
    "it asks and changes nothing",
  ),
  ambiguity(
    7,
    "6887 12.3",
    "PEER's nonce rule leaves the remote peer out of its key",
    "one nonce for all peers of one external end: of an internal end, or with endpoint-dependent mapping of that towards a peer",
  ),
  ambiguity(
    8,
    "6887 13.3",
    "FILTER's prefix length 0 is out of IPv4's range",
    "it removes all filters, whatever the address",
  ),
  ambiguity(9, "6887 13.2", "PREFER_FAILURE with a port and no address", "any external address with that port"),
  ambiguity(
    10,
    "6887 11.3, 15, 15.1",
    "a deletion's answer has lifetime 0, or what traffic leaves",
    "what traffic leaves; another's nonce is NOT_AUTHORIZED for any port",
  ),
  ambiguity(
    11,
    "6887 11.3",
    "the order of nonce, static mapping and options",
    "nonce, static, PREFER_FAILURE, quota, external end",
  ),
  ambiguity(12, "6887 8.2", "the order of opcode, length and client address", "opcode, length, client address"),
  ambiguity(
    13,
    "6887 7.2",
    "which requests count as not successfully parsed",
    "those answered with codes 1, 3, 4 and 6",
  ),
  ambiguity(
    14,
    "6887 7.4, 11.3",
    "NOT_AUTHORIZED is a long error, or the mapping's remaining lifetime",
    "the remaining lifetime where the nonce is another's",
  ),
  ambiguity(15, "6887 8.5", "differences of unsigned epochs can be -1", "clamped to 0, unsigned"),
  ambiguity(
    16,
    "7652 3.1, 5.1, 7",
    "RE-AUTHENTICATION has no number; two names for one result",
    "AUTHENTICATION_REQUEST",
  ),
  ambiguity(
    17,
    "draft-cheshire-pcp-unsupp-family",
    "would drop the nonce and add UNSUPP_FAMILY",
    "not followed",
    "no standard, no code assigned",
  ),
  ambiguity(18, "6887 19.3", "code 191 is in two ranges", "private use"),
  ambiguity(
    19,
    "libpcpd's manual page",
    "describes PCP version 1, without nonces",
    "version 2",
    "[core/server/libpcpd.md](../core/server/libpcpd.md)",
  ),
  ambiguity(
    20,
    "6887 15, 18.1",
    "explicit mappings live as long as implicit ones (simple threat model), or up to 24 hours",
    "up to `maxLifetime`, 24 hours by default",
  ),
]

const ROOT = join(import.meta.dirname, "..")

/** Names of the tests in a source file: the first argument of `it(` and `test(`, the ids before its words. */
const idsIn = (source: string): { readonly id: string; readonly name: string }[] => {
  const found: { id: string; name: string }[] = []
  for (const [, , name] of source.matchAll(/\b(?:it|test)\(\s*(["'`])((?:(?!\1).)*)\1/g))
    for (const [id] of (/^(?:[SNBC]-\d+[ ,]*)+/.exec(name)?.[0] ?? "").matchAll(/[SNBC]-\d+/g)) found.push({ id, name })
  return found
}

/** Requirement id -> the tests that show it. */
export const shown = (): ReadonlyMap<string, readonly { readonly file: string; readonly name: string }[]> => {
  const tests = new Map<string, { file: string; name: string }[]>()
  const files = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
  for (const file of files.filter((name) => /(?:\.test|-suite)\.ts$/.test(name)).sort())
    for (const { id, name } of idsIn(readFileSync(join(ROOT, "test", file), "utf8")))
      tests.set(id, [...(tests.get(id) ?? []), { file: relative(".", file).replaceAll("\\", "/"), name }])
  return tests
}

/** Number of an ambiguity -> the files of core/ whose comments decide it: those that say `RFC ambiguity 7`. */
export const decided = (): ReadonlyMap<number, readonly string[]> => {
  const files = new Map<number, string[]>()
  const paths = readdirSync(join(ROOT, "core"), { recursive: true, encoding: "utf8" })
  for (const path of paths.filter((name) => name.endsWith(".ts")).sort()) {
    const found = readFileSync(join(ROOT, "core", path), "utf8").matchAll(/RFC ambiguity (\d+)/g)
    for (const number of new Set([...found].map(([, digits]) => Number(digits))))
      files.set(number, [...(files.get(number) ?? []), `core/${path.replaceAll("\\", "/")}`])
  }
  return files
}

const ambiguityRows = (): string => {
  const files = decided()
  return AMBIGUITIES.map(({ number, clause, open, decision, elsewhere }) => {
    const links = (files.get(number) ?? []).map((file) => `[${file}](../${file})`).join(", ")
    return `| ${number} | ${clause.startsWith("6") || clause.startsWith("7") ? `RFC ${clause}` : clause} | ${open} | ${decision} | ${links === "" ? elsewhere : links} |`
  }).join("\n")
}

/** Is it for clients? Those for both are counted with the servers'. */
export const isClients = ({ id }: Requirement): boolean => /^(?:C-|N-2)/.test(id)

/** The text of test/requirements.md. */
export const document = (): string => {
  const tests = shown()
  const { cases } = loadKit()
  const rows = REQUIREMENTS.map(({ id, level, clause, text, planned }) => {
    const files = [...new Set((tests.get(id) ?? []).map(({ file }) => file))]
    const links = files.map((file) => `[${file}](${file})`).join(", ")
    const vectors = cases.filter(({ requirements }) => requirements.includes(id)).length
    return `| ${id} | ${level} | RFC ${clause} | ${text} | ${vectors} | ${links}${planned === undefined ? "" : `${links === "" ? "" : "; "}*planned: ${planned}*`} |`
  })
  const met = (of: readonly Requirement[]): string =>
    `${of.filter(({ planned }) => planned === undefined).length} of ${of.length}`
  const servers = met(REQUIREMENTS.filter((one) => !isClients(one)))
  const clients = met(REQUIREMENTS.filter(isClients))
  return `# Requirements and the tests that show them

Generated by \`node test/requirements.ts\` from the tests' names. ${servers} server requirements and ${clients} client requirements are met; the others say what they wait for. How many of the [conformance vectors](vectors/README.md) show each stands beside it.

| id | level | clause | requirement | vectors | shown by |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

## RFC ambiguities

What the RFCs leave open or say in two ways, and the code whose comment decides it.

| | clause | left open | done here | decided in |
| --- | --- | --- | --- | --- |
${ambiguityRows()}

${translation()}`
}

export const DOCUMENT = join(import.meta.dirname, "requirements.md")

if (import.meta.main) writeFileSync(DOCUMENT, document())
