/**
 * What RFC 4787, 5382, 5508, 6888 and 7422 require of a NAT, and which tests of packet translation show it: those whose names
 * begin with `NAT-4787-REQ-5` or the like. Rules of other RFCs are cited by section: `NAT-7915-4.1`.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** One REQ of an RFC in a few words; `elsewhere` says what shows it where no test of packets does. */
interface Rule {
  readonly id: string
  readonly text: string
  readonly elsewhere?: string
}

const rules = (rfc: number, texts: readonly (string | readonly [string, string])[]): readonly Rule[] =>
  texts.map((one, i) => {
    const id = `NAT-${rfc}-REQ-${i + 1}`
    return typeof one === "string" ? { id, text: one } : { id, text: one[0], elsewhere: one[1] }
  })

const NO_ALG = "nothing looks into payloads: there are no ALGs"

export const RULES: readonly Rule[] = [
  ...rules(4787, [
    "endpoint-independent mapping",
    ["paired address pooling", "S-53"],
    "no port overloading; ports from the same range",
    "port parity preservation",
    "UDP timer of 2 minutes at least, configurable, 5 minutes by default",
    "outbound packets refresh a mapping",
    ["an external interface configured by DHCP or PPP", "the pool is configuration, and reloaded in place"],
    "endpoint-independent filtering, or address-dependent where that is wanted",
    "hairpinning, from the external source",
    ["ALGs can be turned off", NO_ALG],
    "deterministic behaviour",
    "ICMP terminates no mapping",
    "DF and Fragmentation Needed",
    "fragments in and out of order",
  ]),
  ...rules(5382, [
    "endpoint-independent mapping for TCP",
    "all valid sequences of TCP, simultaneous open among them",
    "filtering as for UDP",
    "no answer to an unsolicited SYN for 6 seconds",
    "timeouts of established and transitory connections",
    ["ALGs can be turned off", NO_ALG],
    "no port overloading for TCP",
    "hairpinning for TCP",
    "ICMP unreachable for TCP is translated",
    "ICMP terminates no connection",
  ]),
  ...rules(5508, [
    "ICMP queries from the inside are translated",
    "query timer of 60 seconds at least",
    "ICMP errors with wrong checksums or without a mapping are dropped",
    "ICMP errors from the outside",
    "ICMP errors from the inside",
    "no refresh and no end of a session by ICMP errors",
    "hairpinned ICMP errors",
    "an ICMP error where no session can be made",
    "a policy may keep ICMP errors back",
    "which ICMP messages a NAT makes itself",
    "other ICMP messages are dropped or handled",
  ]),
  ...rules(6888, [
    "all of RFC 4787, 5382 and 5508",
    ["paired address pooling", "S-53"],
    [
      "no limit on the size of the pool beside memory",
      "contiguous or not, but 16384 addresses at most: an external end is one word",
    ],
    "limits on ports a subscriber",
    "limits on state memory a mapping and a subscriber",
    "translation can be turned off by destination",
    "endpoint-independent filtering",
    ["a freed port is not used again for 120 seconds", "S-136"],
    ["a port control protocol", "the server"],
    ["manageable", "metrics, control socket"],
    "no mapping made: ICMP error, with a rate limit",
    [
      "no destinations in the log",
      "with endpoint-independent mapping, changes of mappings name no remote peer of implicit ones",
    ],
    ["the port allocation uses ports well", "one mapping an external port, any port of the range"],
    "the port allocation keeps the log small",
    "the port allocation is hard to guess",
  ]),
  {
    id: "NAT-7422-2",
    text: "both functions of deterministic ranges; ports at random in a range, PCP's too; a logged dynamic pool up to the maximum",
  },
  { id: "NAT-7422-2.2", text: "alarms on port utilization", elsewhere: "metrics of the ports taken" },
  { id: "NAT-7422-2.3", text: "the example's ranges and abuse reports" },
  { id: "NAT-7422-3", text: "a record of the settings at each change and once a day" },
  { id: "NAT-7422-3.1", text: "the same ranges on another CGN", elsewhere: "the settings alone decide them" },
]

const ID = /NAT-\d{4}-(?:REQ-\d+[a-z]?|[A-Z0-9][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)*)/g

/** Id of a rule or a section -> test files that show it. */
const shownBy = (): ReadonlyMap<string, ReadonlySet<string>> => {
  const found = new Map<string, Set<string>>()
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  for (const file of files.filter((name) => name.endsWith(".test.ts")).sort()) {
    const source = readFileSync(join(import.meta.dirname, file), "utf8")
    for (const [, , name] of source.matchAll(/\b(?:it|test|describe)\(\s*(["'`])((?:(?!\1).)*)\1/g))
      for (const [id] of name.matchAll(ID)) {
        // A part of a rule (13a) shows the rule.
        const rule = id.replace(/(REQ-\d+)[a-z]$/, "$1")
        found.set(rule, (found.get(rule) ?? new Set()).add(file.replaceAll("\\", "/")))
      }
  }
  return found
}

const links = (files: ReadonlySet<string>): string => [...files].map((file) => `[${file}](${file})`).join(", ")

/** Compares `NAT-7915-4.10` after `NAT-7915-4.9`. */
const inOrder = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true })

/** The part of test/requirements.md about packets. */
export const translation = (): string => {
  const shown = shownBy()
  const rows = RULES.map(({ id, text, elsewhere }) => {
    const files = shown.get(id)
    return `| ${id} | ${text} | ${files === undefined ? (elsewhere ?? "*to come*") : links(files)} |`
  })
  const listed = new Set(RULES.map(({ id }) => id))
  const sections = [...shown.keys()].filter((id) => !listed.has(id)).sort(inOrder)
  const met = RULES.filter(({ id, elsewhere }) => shown.has(id) || elsewhere !== undefined).length
  return `## Packets

What RFC 4787, 5382, 5508 and 6888 require of a NAT, and RFC 7422 of deterministic ports: ${met} of ${RULES.length}.

| id | requirement | shown by |
| --- | --- | --- |
${rows.join("\n")}

Rules of other RFCs, by section:

| id | shown by |
| --- | --- |
${sections.map((id) => `| ${id} | ${links(shown.get(id) ?? new Set())} |`).join("\n")}
`
}
